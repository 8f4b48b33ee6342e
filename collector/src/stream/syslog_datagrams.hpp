// One datagram socket: read in batches, each datagram one record.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <memory>
#include <string>
#include <vector>

#include "nines/base/time.hpp"
#include "nines/collector/input.hpp"
#include "stream/syslog_address.hpp"

namespace nines::collector {

class DatagramSource {
 public:
  // `consumer` and `clock` must outlive it.
  DatagramSource(SyslogListener listener, const std::vector<uint32_t>& sources,
                 size_t max_message_bytes, RecordConsumer& consumer, const Clock& clock);
  ~DatagramSource();
  DatagramSource(const DatagramSource&) = delete;
  DatagramSource& operator=(const DatagramSource&) = delete;

  LogStream& stream() noexcept { return stream_; }
  int fd() const noexcept { return listener_.fd.get(); }
  bool waits() const noexcept { return next_ < count_; }  // for the consumer
  Instant due() const noexcept { return due_; }
  void quiet_if_due();
  // Bytes read: 0 when nothing is there, or the consumer takes nothing now.
  size_t read(size_t max_bytes);
  // Hands over what was read; how many were taken.
  size_t hand_over();
  InputStats stats() const;
  // Asks the kernel how many it dropped; a datagram after the loss would tell it as well.
  void note_drops() noexcept;

 private:
  static constexpr size_t kBatch = 32;
  size_t receive();
  void note_drops(const msghdr& header) noexcept;
  void note_drops(uint32_t counter) noexcept;

  SyslogListener listener_;
  size_t max_bytes_;
  RecordConsumer& consumer_;
  const Clock& clock_;
  LogStream stream_;
  InputStats stats_;
  // Address space only until it is written to: ordinary datagrams touch one page each.
  std::unique_ptr<char[]> buffer_;
  mmsghdr headers_[kBatch];
  iovec blocks_[kBatch];
  alignas(cmsghdr) char control_[kBatch][CMSG_SPACE(sizeof(uint32_t))];
  size_t next_ = 0, count_ = 0;  // of the batch, not taken yet
  uint32_t drops_ = 0;           // the kernel's counter at the last look
  Instant due_{INT64_MAX};
};

}  // namespace nines::collector
