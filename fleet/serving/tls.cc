#include "fleet/serving/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"

namespace wallprof::serving {
namespace {

// OpenSSL's reason for what failed in this thread, for people: the first one,
// which is nearest to the cause.
std::string Reason() {
  const unsigned long code = ERR_peek_error();
  if (code == 0) return "no reason given";
  if (ERR_SYSTEM_ERROR(code)) {
    return std::generic_category().message(ERR_GET_REASON(code));
  }
  const char* reason = ERR_reason_error_string(code);
  return reason == nullptr ? absl::StrCat("OpenSSL's error ", code) : reason;
}

absl::Status Bad(absl::string_view what, const std::string& file) {
  return absl::InvalidArgumentError(
      absl::StrCat(file, ": ", what, " (", Reason(), ")"));
}

absl::StatusOr<std::shared_ptr<SSL_CTX>> ReadContext(
    const std::string& certificate, const std::string& key) {
  ERR_clear_error();
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()),
                                   SSL_CTX_free);
  if (context == nullptr) {
    return absl::InternalError(
        absl::StrCat("OpenSSL does not start: ", Reason()));
  }
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION |
                                         SSL_OP_CIPHER_SERVER_PREFERENCE |
                                         SSL_OP_IGNORE_UNEXPECTED_EOF);
  // Sending is tried again with the same bytes, maybe elsewhere in memory, and
  // a part of them may be taken.
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  // Nobody is there to be asked for a password.
  SSL_CTX_set_default_passwd_cb(context.get(),
                                [](char*, int, int, void*) { return 0; });
  // A record at a time leaves a system call for each 16 KiB at most.
  SSL_CTX_set_read_ahead(context.get(), 1);
  if (SSL_CTX_use_certificate_chain_file(context.get(), certificate.c_str()) !=
      1) {
    return Bad("the certificate cannot be read", certificate);
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), key.c_str(),
                                  SSL_FILETYPE_PEM) != 1) {
    const unsigned long code = ERR_peek_last_error();
    if (ERR_GET_LIB(code) == ERR_LIB_X509 &&
        ERR_GET_REASON(code) == X509_R_KEY_VALUES_MISMATCH) {
      return absl::InvalidArgumentError(absl::StrCat(
          key, ": the key is not that of the certificate in ", certificate));
    }
    return Bad("the key cannot be read", key);
  }
  if (SSL_CTX_check_private_key(context.get()) != 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        key, ": the key is not that of the certificate in ", certificate));
  }
  return context;
}

class TlsTransport : public http::Transport {
 public:
  TlsTransport(http::FileDescriptor socket, std::shared_ptr<SSL_CTX> context)
      : socket_(std::move(socket)),
        context_(std::move(context)),
        session_(SSL_new(context_.get())) {
    if (session_ == nullptr) return;
    SSL_set_fd(session_, socket_.number());
    SSL_set_accept_state(session_);
  }
  ~TlsTransport() override { SSL_free(session_); }

  Outcome Receive(char* bytes, size_t size) override;
  Outcome Send(std::string_view bytes) override;
  void EndSending() override;
  int descriptor() const override { return socket_.number(); }
  std::string_view problem() const override {
    return is_plain_http_ ? "This port speaks HTTPS, not HTTP." : "";
  }

 private:
  Outcome Failed(int result);

  const http::FileDescriptor socket_;
  // Those of a context that was replaced keep it.
  const std::shared_ptr<SSL_CTX> context_;
  SSL* const session_;
  bool is_broken_ = false;
  bool is_plain_http_ = false;
};

// What a call that returned `result` <= 0 lacks.
http::Transport::Outcome TlsTransport::Failed(int result) {
  switch (SSL_get_error(session_, result)) {
    case SSL_ERROR_WANT_READ:
      return {-1, POLLIN};
    case SSL_ERROR_WANT_WRITE:
      return {-1, POLLOUT};
    case SSL_ERROR_ZERO_RETURN:
      return {0, 0};
    default:
      break;
  }
  const unsigned long code = ERR_peek_last_error();
  is_plain_http_ = ERR_GET_LIB(code) == ERR_LIB_SSL &&
                   ERR_GET_REASON(code) == SSL_R_HTTP_REQUEST;
  // Nothing may be asked of the session any more.
  is_broken_ = true;
  return {-1, 0};
}

http::Transport::Outcome TlsTransport::Receive(char* bytes, size_t size) {
  if (is_plain_http_) {
    // What a refused client still sends is read and dropped.
    const ssize_t count = recv(descriptor(), bytes, size, 0);
    if (count >= 0) return {count, 0};
    return {-1, errno == EAGAIN ? short{POLLIN} : short{0}};
  }
  if (session_ == nullptr || is_broken_) return {-1, 0};
  ERR_clear_error();
  const int result = SSL_read(
      session_, bytes, static_cast<int>(std::min<size_t>(size, INT_MAX)));
  return result > 0 ? Outcome{result, 0} : Failed(result);
}

http::Transport::Outcome TlsTransport::Send(std::string_view bytes) {
  if (is_plain_http_) {
    const ssize_t count =
        send(descriptor(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count >= 0) return {count, 0};
    return {-1, errno == EAGAIN ? short{POLLOUT} : short{0}};
  }
  if (session_ == nullptr || is_broken_ || !SSL_is_init_finished(session_)) {
    return {-1, 0};
  }
  ERR_clear_error();
  const int result =
      SSL_write(session_, bytes.data(),
                static_cast<int>(std::min<size_t>(bytes.size(), INT_MAX)));
  if (result > 0) return {result, 0};
  const Outcome failed = Failed(result);
  // A client that has ended the session takes nothing any more.
  return {-1, failed.wait_for};
}

void TlsTransport::EndSending() {
  if (session_ != nullptr && !is_broken_ && SSL_is_init_finished(session_)) {
    // Where the socket is full, the client has not read all anyway.
    SSL_shutdown(session_);
  }
  shutdown(descriptor(), SHUT_WR);
}

}  // namespace

absl::StatusOr<std::unique_ptr<TlsFiles>> TlsFiles::Open(
    std::string certificate, std::string key) {
  std::unique_ptr<TlsFiles> files(
      new TlsFiles(std::move(certificate), std::move(key)));
  if (absl::Status read = files->Reload(); !read.ok()) return read;
  return files;
}

absl::Status TlsFiles::Reload() {
  absl::StatusOr<std::shared_ptr<SSL_CTX>> context =
      ReadContext(certificate_, key_);
  if (!context.ok()) return context.status();
  std::lock_guard<std::mutex> lock(mutex_);
  context_ = *std::move(context);
  return absl::OkStatus();
}

std::unique_ptr<http::Transport> TlsFiles::NewTransport(
    http::FileDescriptor socket) const {
  std::lock_guard<std::mutex> lock(mutex_);
  return std::make_unique<TlsTransport>(std::move(socket), context_);
}

}  // namespace wallprof::serving
