// An object store in memory that speaks enough of S3 over HTTP for tests, and fails as they say.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "http/client.h"

namespace elanus::backend {

/// One bucket on a port of this machine. Thread-safe; the hooks are set before the first request.
class S3StandIn {
 public:
  struct Asked {
    std::string method;
    std::string key;  // Without the bucket; empty: of the bucket.
    std::map<std::string, std::string> query;
    std::map<std::string, std::string> headers;  // Names in small letters.
    std::string body;
  };
  /// What goes wrong with an answer.
  struct Fault {
    int status = 0;              // Instead of what is asked; 0: it is answered.
    std::string body;            // With that status.
    size_t sent_max = SIZE_MAX;  // The connection ends after so many bytes of the body.
    int64_t wait_ms = 0;         // Before it answers.
    bool is_altered = false;     // One byte of the body is another.
  };
  using Hook = std::function<std::optional<Fault>(const Asked&)>;

  S3StandIn();
  ~S3StandIn();
  int port() const { return port_; }
  /// Asked of each request, in the order of their coming.
  void OnAsked(Hook hook);
  /// All requests so far that begin so: "GET a/b".
  std::vector<Asked> asked(const std::string& beginning = "") const;
  std::optional<std::string> Object(const std::string& key) const;
  void SetObject(const std::string& key, const std::string& bytes);
  size_t open_uploads() const;
  /// All that are open by now are so much older.
  void MakeUploadsOlder(int64_t seconds);

  size_t page_keys = 1000;  // Of a listing.

 private:
  struct Answer {
    int status = 200;
    std::string body;
    std::map<std::string, std::string> headers;
  };
  void Accept();
  void Serve(int socket);
  Answer Do(const Asked& asked);
  Answer ListUploads(const Asked& asked);
  Answer DoBucket(const Asked& asked);
  Answer Get(const Asked& asked);
  Answer Put(const Asked& asked);
  Answer Post(const Asked& asked);

  int listener_ = -1;
  int port_ = 0;
  mutable std::mutex mutex_;  // Guards what follows.
  Hook hook_;
  bool has_bucket_ = false;
  bool stopping_ = false;
  std::map<std::string, std::string> objects_;
  struct Upload {
    std::string key;
    int64_t begun_s = 0;
    std::map<int, std::string> parts;
  };
  std::map<std::string, Upload> uploads_;
  std::vector<Asked> asked_;
  std::vector<int> sockets_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace elanus::backend
