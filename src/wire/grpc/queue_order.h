// Tells the thread sanitizer what a gRPC completion queue orders: the library is not built for it.
#pragma once

#ifdef ELANUS_THREAD_SANITIZER
#include <sanitizer/tsan_interface.h>
extern "C" void AnnotateIgnoreReadsBegin(const char* file, int line);
extern "C" void AnnotateIgnoreReadsEnd(const char* file, int line);
extern "C" void AnnotateIgnoreWritesBegin(const char* file, int line);
extern "C" void AnnotateIgnoreWritesEnd(const char* file, int line);
#endif

namespace elanus::wire {

/// While one lives, this thread is inside gRPC: the library orders what its inline functions do.
/// Costs nothing in other builds.
class InsideGrpc {
 public:
  InsideGrpc() {
#ifdef ELANUS_THREAD_SANITIZER
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
#endif
  }
  /// To start an operation under `tag`: what this thread did so far comes before what another one
  /// does after Taken(tag).
  explicit InsideGrpc([[maybe_unused]] void* tag) : InsideGrpc() {
#ifdef ELANUS_THREAD_SANITIZER
    __tsan_release(tag);
#endif
  }
  ~InsideGrpc() {
#ifdef ELANUS_THREAD_SANITIZER
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
#endif
  }
  InsideGrpc(const InsideGrpc&) = delete;
  InsideGrpc& operator=(const InsideGrpc&) = delete;
};

/// To be called when the queue has handed `tag` back, before anything of its call is touched.
inline void Taken([[maybe_unused]] void* tag) {
#ifdef ELANUS_THREAD_SANITIZER
  __tsan_acquire(tag);
#endif
}

}  // namespace elanus::wire
