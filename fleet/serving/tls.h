// TLS for connections, by OpenSSL: 1.2 and later, with its default ciphers.
#ifndef WALLPROF_FLEET_SERVING_TLS_H_
#define WALLPROF_FLEET_SERVING_TLS_H_

#include <memory>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "http/socket/transport.h"

struct ssl_ctx_st;  // OpenSSL's SSL_CTX

namespace wallprof::serving {

// A certificate and its key in files, which may be replaced while they are
// used. Thread-safe.
class TlsFiles {
 public:
  // `certificate` is PEM: the server's own first, then those that lead to the
  // root. InvalidArgument and the like naming the file and what is wrong: not
  // there, not PEM, a key of another certificate.
  static absl::StatusOr<std::unique_ptr<TlsFiles>> Open(std::string certificate,
                                                        std::string key);

  // Reads the files again, for connections from here on. Where that fails,
  // what was read before stays.
  absl::Status Reload();

  // Speaks TLS as the server. The handshake is part of the first Receive(), and
  // so of the time that a request may take. A client that speaks plain HTTP is
  // told so, in plain HTTP.
  std::unique_ptr<http::Transport> NewTransport(
      http::FileDescriptor socket) const;

 private:
  TlsFiles(std::string certificate, std::string key)
      : certificate_(std::move(certificate)), key_(std::move(key)) {}

  const std::string certificate_;
  const std::string key_;
  mutable std::mutex mutex_;
  std::shared_ptr<ssl_ctx_st> context_;
};

}  // namespace wallprof::serving

#endif  // WALLPROF_FLEET_SERVING_TLS_H_
