// S3 in memory.
#include "backend/s3/testing/s3_stand_in.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <ctime>
#include <functional>

namespace elanus::backend {
namespace {

std::string Decoded(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%' || i + 2 >= text.size()) {
      plain += text[i];
      continue;
    }
    int byte = 0;
    std::from_chars(text.data() + i + 1, text.data() + i + 3, byte, 16);
    plain += static_cast<char>(byte);
    i += 2;
  }
  return plain;
}

std::string Escaped(std::string_view text) {
  std::string escaped;
  for (char c : text) {
    if (c == '&')
      escaped += "&amp;";
    else if (c == '<')
      escaped += "&lt;";
    else
      escaped += c;
  }
  return escaped;
}

std::string TagOf(const std::string& bytes) {
  return fmt::format("\"{:x}-{}\"", std::hash<std::string>()(bytes), bytes.size());
}

std::string Refusal(const char* code) {
  return fmt::format("<?xml version=\"1.0\"?><Error><Code>{}</Code><Message>no</Message></Error>",
                     code);
}

// Reads up to and with the empty line, then the body; false when the other side has gone.
bool ReadRequest(int socket, std::string& buffer, S3StandIn::Asked& asked) {
  const auto more = [&] {
    char piece[65536];
    const ssize_t got = ::recv(socket, piece, sizeof(piece), 0);
    if (got > 0) buffer.append(piece, static_cast<size_t>(got));
    return got > 0;
  };
  size_t end = 0;
  while ((end = buffer.find("\r\n\r\n")) == std::string::npos) {
    if (!more()) return false;
  }
  std::string_view head(buffer.data(), end);
  const size_t line_end = std::min(head.find("\r\n"), head.size());
  const std::string_view line = head.substr(0, line_end);
  const size_t path_at = line.find(' ') + 1;
  asked.method = line.substr(0, path_at - 1);
  std::string_view path = line.substr(path_at, line.rfind(' ') - path_at);
  std::string_view query;
  if (const size_t mark = path.find('?'); mark != std::string_view::npos) {
    query = path.substr(mark + 1);
    path = path.substr(0, mark);
  }
  const size_t slash = path.find('/', 1);
  asked.key = slash == std::string_view::npos ? "" : Decoded(path.substr(slash + 1));
  while (!query.empty()) {
    const size_t and_at = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, and_at);
    const size_t equals = std::min(pair.find('='), pair.size());
    asked.query[Decoded(pair.substr(0, equals))] =
        equals == pair.size() ? "(no =)" : Decoded(pair.substr(equals + 1));
    query.remove_prefix(std::min(and_at + 1, query.size()));
  }
  head.remove_prefix(std::min(line_end + 2, head.size()));
  while (!head.empty()) {
    const size_t stop = std::min(head.find("\r\n"), head.size());
    const std::string_view header = head.substr(0, stop);
    const size_t colon = header.find(": ");
    if (colon != std::string_view::npos) {
      std::string name(header.substr(0, colon));
      std::transform(name.begin(), name.end(), name.begin(), ::tolower);
      asked.headers[name] = header.substr(colon + 2);
    }
    head.remove_prefix(std::min(stop + 2, head.size()));
  }
  buffer.erase(0, end + 4);
  const auto length = asked.headers.find("content-length");
  const size_t size = length == asked.headers.end() ? 0 : std::stoul(length->second);
  while (buffer.size() < size) {
    if (!more()) return false;
  }
  asked.body = buffer.substr(0, size);
  buffer.erase(0, size);
  return true;
}

bool SendAll(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

}  // namespace

S3StandIn::S3StandIn() : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
  sockaddr_in address{.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof(address);
  if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      ::listen(listener_, 64) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    std::abort();
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { Accept(); });
}

S3StandIn::~S3StandIn() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    for (int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
  }
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  for (std::thread& thread : threads_) thread.join();
  for (int socket : sockets_) ::close(socket);
  ::close(listener_);
}

void S3StandIn::OnAsked(Hook hook) {
  const std::lock_guard<std::mutex> lock(mutex_);
  hook_ = std::move(hook);
}

std::vector<S3StandIn::Asked> S3StandIn::asked(const std::string& beginning) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<Asked> some;
  for (const Asked& one : asked_) {
    if ((one.method + " " + one.key).starts_with(beginning)) some.push_back(one);
  }
  return some;
}

std::optional<std::string> S3StandIn::Object(const std::string& key) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = objects_.find(key);
  return found == objects_.end() ? std::nullopt : std::optional(found->second);
}

void S3StandIn::SetObject(const std::string& key, const std::string& bytes) {
  const std::lock_guard<std::mutex> lock(mutex_);
  objects_[key] = bytes;
}

size_t S3StandIn::open_uploads() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return uploads_.size();
}

void S3StandIn::MakeUploadsOlder(int64_t seconds) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (auto& [id, upload] : uploads_) upload.begun_s -= seconds;
}

void S3StandIn::Accept() {
  while (true) {
    const int socket = ::accept(listener_, nullptr, nullptr);
    const std::lock_guard<std::mutex> lock(mutex_);
    if (socket < 0 || stopping_) {
      if (socket >= 0) ::close(socket);
      return;
    }
    sockets_.push_back(socket);
    threads_.emplace_back([this, socket] { Serve(socket); });
  }
}

void S3StandIn::Serve(int socket) {
  std::string buffer;
  while (true) {
    Asked asked;
    if (!ReadRequest(socket, buffer, asked)) break;
    Hook hook;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      asked_.push_back(asked);
      hook = hook_;
    }
    const std::optional<Fault> given = hook ? hook(asked) : std::nullopt;
    const Fault fault = given.value_or(Fault());
    for (int64_t waited = 0; waited < fault.wait_ms; waited += 10) {
      {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (stopping_) return;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    Answer answer;
    if (fault.status != 0) {
      answer = {.status = fault.status, .body = fault.body};
    } else {
      const std::lock_guard<std::mutex> lock(mutex_);
      answer = Do(asked);
    }
    if (fault.is_altered && !answer.body.empty()) answer.body[answer.body.size() / 2] ^= 1;
    std::string head =
        fmt::format("HTTP/1.1 {} x\r\nContent-Length: {}\r\n", answer.status, answer.body.size());
    for (const auto& [name, value] : answer.headers) head += fmt::format("{}: {}\r\n", name, value);
    const bool is_sent = SendAll(socket, head + "\r\n") &&
                         SendAll(socket, std::string_view(answer.body).substr(0, fault.sent_max));
    if (!is_sent || fault.sent_max < answer.body.size()) break;
  }
  ::shutdown(socket, SHUT_RDWR);
}

S3StandIn::Answer S3StandIn::Do(const Asked& asked) {
  // As the real ones: curl's order and lack of '=' in a query would be refused.
  for (const auto& [name, value] : asked.query) {
    if (value == "(no =)") return {.status = 403, .body = Refusal("SignatureDoesNotMatch")};
  }
  if (asked.headers.count("authorization") == 0 ||
      asked.headers.count("x-amz-content-sha256") == 0) {
    return {.status = 403, .body = Refusal("AccessDenied")};
  }
  if (asked.key.empty()) return DoBucket(asked);
  if (!has_bucket_) return {.status = 404, .body = Refusal("NoSuchBucket")};
  if (asked.method == "GET") return Get(asked);
  if (asked.method == "PUT") return Put(asked);
  if (asked.method == "POST") return Post(asked);
  if (const auto upload = asked.query.find("uploadId"); upload != asked.query.end()) {
    uploads_.erase(upload->second);
  } else {
    objects_.erase(asked.key);
  }
  return {.status = 204};
}

S3StandIn::Answer S3StandIn::DoBucket(const Asked& asked) {
  if (asked.method == "PUT") {
    has_bucket_ = true;
    return {};
  }
  if (!has_bucket_) return {.status = 404, .body = Refusal("NoSuchBucket")};
  if (asked.query.count("uploads") > 0) return ListUploads(asked);
  const auto word = [&](const char* name) {
    const auto found = asked.query.find(name);
    return found == asked.query.end() ? std::string() : found->second;
  };
  const std::string prefix = word("prefix");
  const std::string from = word("continuation-token");
  std::string contents;
  std::string next;
  size_t count = 0;
  for (const auto& [key, bytes] : objects_) {
    if (!key.starts_with(prefix) || key < from) continue;
    if (count++ == page_keys) {
      next = key;
      break;
    }
    contents += fmt::format("<Contents><Key>{}</Key><Size>{}</Size></Contents>", Escaped(key),
                            bytes.size());
  }
  return {.status = 200,
          .body = fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult "
                              "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{}<IsTruncated>{}"
                              "</IsTruncated>{}</ListBucketResult>",
                              contents, next.empty() ? "false" : "true",
                              next.empty() ? ""
                                           : fmt::format("<NextContinuationToken>{}"
                                                         "</NextContinuationToken>",
                                                         Escaped(next)))};
}

S3StandIn::Answer S3StandIn::ListUploads(const Asked& asked) {
  const auto from = asked.query.find("upload-id-marker");
  std::string list;
  size_t count = 0;
  std::string last;
  for (const auto& [id, upload] : uploads_) {
    if (from != asked.query.end() && id <= from->second) continue;
    if (count++ == page_keys) {
      list += fmt::format(
          "<NextKeyMarker>{}</NextKeyMarker><NextUploadIdMarker>{}"
          "</NextUploadIdMarker>",
          Escaped(uploads_[last].key), Escaped(last));
      break;
    }
    char time[64];
    std::tm parts{};
    const time_t begun_s = upload.begun_s;
    ::strftime(time, sizeof(time), "%Y-%m-%dT%H:%M:%S.000Z", ::gmtime_r(&begun_s, &parts));
    list += fmt::format(
        "<Upload><Key>{}</Key><UploadId>{}</UploadId><Initiated>{}</Initiated>"
        "</Upload>",
        Escaped(upload.key), Escaped(id), time);
    last = id;
  }
  return {.status = 200,
          .body = fmt::format("<ListMultipartUploadsResult>{}<IsTruncated>{}</IsTruncated>"
                              "</ListMultipartUploadsResult>",
                              list, count > page_keys ? "true" : "false")};
}

S3StandIn::Answer S3StandIn::Get(const Asked& asked) {
  const auto found = objects_.find(asked.key);
  if (found == objects_.end()) return {.status = 404, .body = Refusal("NoSuchKey")};
  const std::string& bytes = found->second;
  Answer answer{.status = 200, .headers = {{"ETag", TagOf(bytes)}}};
  const auto match = asked.headers.find("if-match");
  if (match != asked.headers.end() && match->second != TagOf(bytes)) {
    return {.status = 412, .body = Refusal("PreconditionFailed")};
  }
  size_t begin = 0;
  if (const auto range = asked.headers.find("range"); range != asked.headers.end()) {
    begin = std::stoul(range->second.substr(std::string("bytes=").size()));
    if (begin >= bytes.size()) return {.status = 416, .body = Refusal("InvalidRange")};
    answer.status = 206;
  }
  answer.body = bytes.substr(begin);
  return answer;
}

S3StandIn::Answer S3StandIn::Put(const Asked& asked) {
  if (const auto upload = asked.query.find("uploadId"); upload != asked.query.end()) {
    const auto parts = uploads_.find(upload->second);
    if (parts == uploads_.end()) return {.status = 404, .body = Refusal("NoSuchUpload")};
    parts->second.parts[std::stoi(asked.query.at("partNumber"))] = asked.body;
  } else {
    if (asked.headers.count("if-none-match") > 0 && objects_.count(asked.key) > 0) {
      return {.status = 412, .body = Refusal("PreconditionFailed")};
    }
    const auto match = asked.headers.find("if-match");
    if (match != asked.headers.end() &&
        (objects_.count(asked.key) == 0 || match->second != TagOf(objects_[asked.key]))) {
      return {.status = 412, .body = Refusal("PreconditionFailed")};
    }
    objects_[asked.key] = asked.body;
  }
  return {.status = 200, .headers = {{"ETag", TagOf(asked.body)}}};
}

S3StandIn::Answer S3StandIn::Post(const Asked& asked) {
  if (asked.query.count("uploads") > 0) {
    const std::string id = fmt::format("up/{}&", uploads_.size() + asked_.size());
    uploads_[id] = {.key = asked.key, .begun_s = ::time(nullptr)};
    return {.status = 200,
            .body = fmt::format("<InitiateMultipartUploadResult><UploadId>{}</UploadId>"
                                "</InitiateMultipartUploadResult>",
                                Escaped(id))};
  }
  const auto parts = uploads_.find(asked.query.at("uploadId"));
  if (parts == uploads_.end()) return {.status = 404, .body = Refusal("NoSuchUpload")};
  std::string bytes;
  for (const auto& [number, part] : parts->second.parts) {
    if (asked.body.find(fmt::format("<PartNumber>{}</PartNumber>", number)) == std::string::npos) {
      return {.status = 400, .body = Refusal("InvalidPart")};
    }
    bytes += part;
  }
  objects_[asked.key] = bytes;
  uploads_.erase(parts);
  return {.status = 200, .body = "<CompleteMultipartUploadResult/>"};
}

}  // namespace elanus::backend
