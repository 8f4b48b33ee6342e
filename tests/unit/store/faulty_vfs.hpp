// A SQLite VFS that fails: the n-th write or flush from arm() on, and with `lasting` all after it,
// as if the power went. Until `freed` is gone every write meets a full disk.
//
// It also keeps, for each file, the bytes of its last flush: lose_unflushed() puts those back,
// which is what a power cut leaves when the disk had written nothing by itself.
#pragma once

#include <sqlite3.h>

#include <map>
#include <string>

namespace nines::store::test {

class FaultyVfs {
 public:
  static constexpr const char* kName = "nines-faulty";
  // One for the process; registers itself at first use.
  static FaultyVfs& instance();

  void arm(int64_t nth, int code, bool lasting) {
    countdown_ = nth;
    code_ = code;
    lasting_ = lasting;
    fired_ = false;
  }
  void disarm() { countdown_ = 0; }
  bool fired() const { return fired_; }
  void full_until_gone(const std::string& path) { freed_ = path; }

  void track(bool on) {
    tracking_ = on;
    durable_.clear();
  }
  void lose_unflushed();

  int fault(bool write);
  void flushed(const std::string& path);

 private:
  int64_t countdown_ = 0;
  int code_ = 0;
  bool lasting_ = false;
  bool fired_ = false;
  bool tracking_ = false;
  std::string freed_;
  std::map<std::string, std::string> durable_;
};

}  // namespace nines::store::test
