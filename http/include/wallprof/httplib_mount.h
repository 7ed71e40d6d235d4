// Mounts the profiler's pages on a host's own cpp-httplib server.
//
//   std::unique_ptr<wallprof::ProfileSource> source =
//       wallprof::SourceOf(*profiler);
//   wallprof::HttpHandler handler(*source);
//   httplib::Server server;
//   wallprof::Mount(server, handler, "/profiler");
//
// Header-only: compiled against the host's httplib.h, of whatever version.
// A measurement holds one of the server's threads for its whole window, so let
// HttpOptions::max_measurements be smaller than the server's pool.
#ifndef WALLPROF_HTTPLIB_MOUNT_H_
#define WALLPROF_HTTPLIB_MOUNT_H_

#include <cctype>
#include <functional>
#include <string>
#include <utility>

#ifndef CPPHTTPLIB_VERSION
#include <httplib.h>
#endif

#include "wallprof/http.h"

namespace wallprof {

namespace httplib_mount {

// Bytes of a body that are kept. More are read, as the connection may be used
// again, and dropped.
inline constexpr size_t kMaxBodyBytes = size_t{1} << 20;

// Newer versions tell whether the client has left; with older ones a
// measurement runs to its end.
template <typename Request>
auto ClientGone(const Request& request, int)
    -> decltype(std::function<bool()>(request.is_connection_closed)) {
  return request.is_connection_closed;
}
template <typename Request>
std::function<bool()> ClientGone(const Request&, long) {
  return nullptr;
}

inline HttpRequest RequestOf(const httplib::Request& from,
                             const std::string& prefix, std::string body) {
  HttpRequest request;
  request.method = from.method;
  request.mount_point = prefix;
  request.body = std::move(body);
  request.client_gone = ClientGone(from, 0);
  // The path that was matched, with the query as the client sent it.
  request.target = from.path.substr(prefix.size());
  if (request.target.empty()) request.target += '/';
  size_t query = from.target.find('?');
  if (query != std::string::npos) request.target += from.target.substr(query);
  for (const auto& header : from.headers) {
    std::string name;
    for (unsigned char c : header.first) {
      name += static_cast<char>(std::tolower(c));
    }
    std::string& joined = request.headers[name];
    joined += (joined.empty() ? "" : ", ") + header.second;
  }
  return request;
}

inline void Answer(HttpHandler& handler, const std::string& prefix,
                   const httplib::Request& request, std::string body,
                   httplib::Response& response) {
  // The index's links are relative to "PREFIX/".
  if (request.target == prefix && !prefix.empty()) {
    response.set_redirect(prefix + "/");
    return;
  }
  HttpResponse answer =
      handler.Handle(RequestOf(request, prefix, std::move(body)));
  response.status = answer.status;
  for (const auto& header : answer.headers) {
    if (header.first != "Content-Type") {
      response.set_header(header.first.c_str(), header.second.c_str());
    }
  }
  response.set_content(answer.body, answer.headers["Content-Type"].c_str());
}

// `prefix` followed by nothing or by a path no longer than the handler's own.
// The bound keeps std::regex, which recurses for each byte, from running out
// of stack on a long path.
inline std::string PatternOf(const std::string& prefix) {
  std::string pattern;
  for (char c : prefix) {
    if (std::ispunct(static_cast<unsigned char>(c)) && c != '/' && c != '_') {
      pattern += '\\';
    }
    pattern += c;
  }
  return pattern + "(/.{0,40})?";
}

}  // namespace httplib_mount

// Serves `handler`, which must outlive `server`, below `prefix`: "/profiler",
// or "" for the root. Call it before the server listens and, as the first route
// that matches a path serves it, for the root after every other route.
inline void Mount(httplib::Server& server, HttpHandler& handler,
                  std::string prefix) {
  while (!prefix.empty() && prefix.back() == '/') prefix.pop_back();
  auto answer = [&handler, prefix](const httplib::Request& request,
                                   httplib::Response& response) {
    httplib_mount::Answer(handler, prefix, request, "", response);
  };
  auto answer_body = [&handler, prefix](const httplib::Request& request,
                                        httplib::Response& response,
                                        const httplib::ContentReader& reader) {
    std::string body;
    auto keep = [&body](const char* bytes, size_t size) {
      if (body.size() + size <= httplib_mount::kMaxBodyBytes) {
        body.append(bytes, size);
      }
      return true;
    };
    if (request.is_multipart_form_data()) {
      // Nothing here has parts; they are read and dropped.
      reader([](const auto&) { return true; },
             [](const char*, size_t) { return true; });
    } else {
      reader(keep);
    }
    httplib_mount::Answer(handler, prefix, request, std::move(body), response);
  };
  std::string pattern = httplib_mount::PatternOf(prefix);
  server.Get(pattern.c_str(), answer);  // HEAD too
  server.Post(pattern.c_str(), answer_body);
  server.Put(pattern.c_str(), answer_body);
  server.Patch(pattern.c_str(), answer_body);
  server.Delete(pattern.c_str(), answer);
  server.Options(pattern.c_str(), answer);
}

}  // namespace wallprof

#endif  // WALLPROF_HTTPLIB_MOUNT_H_
