#include "stream/syslog_datagrams.hpp"

#include <linux/sock_diag.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace nines::collector {
namespace {

constexpr int64_t kRetryMs = 20;   // after the consumer wanted nothing
constexpr int64_t kHoldMs = 1000;  // as StreamBuffer does

}  // namespace

DatagramSource::DatagramSource(SyslogListener listener, const std::vector<uint32_t>& sources,
                               size_t max_message_bytes, RecordConsumer& consumer,
                               const Clock& clock)
    : listener_(std::move(listener)),
      max_bytes_(max_message_bytes),
      consumer_(consumer),
      clock_(clock),
      buffer_(new char[kBatch * max_message_bytes]) {
  stream_.path = "syslog+" + listener_.uri;
  stream_.key = "syslog:" + listener_.uri;
  stream_.matched = sources;
  stream_.framing = Framing::datagrams;
  stats_.kind = "syslog";
  stats_.name = listener_.uri;
  stats_.resumable = false;
  for (size_t i = 0; i < kBatch; ++i) blocks_[i] = {buffer_.get() + i * max_bytes_, max_bytes_};
  consumer_.opened(stream_);
}

DatagramSource::~DatagramSource() {
  consumer_.closed(stream_);
  remove_socket_file(listener_);
}

void DatagramSource::quiet_if_due() {
  if (waits() || clock_.mono() < due_) return;
  due_ = {INT64_MAX};
  (void)consumer_.consume(stream_, {}, Reading::quiet);
}

size_t DatagramSource::read(size_t max_bytes) {
  size_t total = 0;
  do {
    hand_over();
    if (waits()) return total;
    const size_t got = receive();
    if (count_ == 0) return total;
    total += std::max<size_t>(got, 1);
    if (count_ < kBatch) {
      hand_over();
      return total;
    }
  } while (total < max_bytes);
  return total;
}

size_t DatagramSource::receive() {
  for (size_t i = 0; i < kBatch; ++i) {
    headers_[i] = {};
    headers_[i].msg_hdr.msg_iov = &blocks_[i];
    headers_[i].msg_hdr.msg_iovlen = 1;
    headers_[i].msg_hdr.msg_control = control_[i];
    headers_[i].msg_hdr.msg_controllen = sizeof control_[i];
  }
  next_ = count_ = 0;
  const int n = ::recvmmsg(listener_.fd.get(), headers_, kBatch, MSG_DONTWAIT, nullptr);
  if (n <= 0) return 0;
  count_ = static_cast<size_t>(n);
  size_t bytes = 0;
  for (size_t i = 0; i < count_; ++i) {
    bytes += headers_[i].msg_len;
    if ((headers_[i].msg_hdr.msg_flags & MSG_TRUNC) != 0) ++stats_.refused;
    note_drops(headers_[i].msg_hdr);
  }
  stats_.received += count_;
  stats_.bytes += bytes;
  return bytes;
}

size_t DatagramSource::hand_over() {
  size_t taken_count = 0;
  for (; next_ < count_; ++next_) {
    const std::string_view data(static_cast<const char*>(blocks_[next_].iov_base),
                                headers_[next_].msg_len);
    if (data.empty()) continue;
    stream_.size = stream_.offset + static_cast<int64_t>(data.size());
    const Taken taken = consumer_.consume(stream_, data, Reading::more);
    if (taken.bytes == 0 &&
        (taken.rest == Taken::Rest::declined || taken.rest == Taken::Rest::waiting)) {
      due_ = {clock_.mono().ns + kRetryMs * kNsPerMs};
      return taken_count;
    }
    due_ = taken.rest == Taken::Rest::held ? Instant{clock_.mono().ns + kHoldMs * kNsPerMs}
                                           : Instant{INT64_MAX};
    stream_.offset = stream_.size;
    ++taken_count;
  }
  return taken_count;
}

void DatagramSource::note_drops(const msghdr& header) noexcept {
  msghdr& mutable_header = const_cast<msghdr&>(header);
  for (cmsghdr* c = CMSG_FIRSTHDR(&mutable_header); c != nullptr;
       c = CMSG_NXTHDR(&mutable_header, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SO_RXQ_OVFL) continue;
    uint32_t counter = 0;
    std::memcpy(&counter, CMSG_DATA(c), sizeof counter);
    note_drops(counter);
  }
}

void DatagramSource::note_drops() noexcept {
  uint32_t values[SK_MEMINFO_VARS] = {};
  socklen_t size = sizeof values;
  if (::getsockopt(listener_.fd.get(), SOL_SOCKET, SO_MEMINFO, values, &size) != 0) return;
  if (size > SK_MEMINFO_DROPS * sizeof(uint32_t)) note_drops(values[SK_MEMINFO_DROPS]);
}

// The counter wraps; an older value may come after a newer one.
void DatagramSource::note_drops(uint32_t counter) noexcept {
  const uint32_t more = counter - drops_;
  if (more == 0 || more > UINT32_MAX / 2) return;
  stats_.lost += more;
  drops_ = counter;
}

InputStats DatagramSource::stats() const {
  InputStats out = stats_;
  for (size_t i = next_; i < count_; ++i) out.lag_bytes += headers_[i].msg_len;
  return out;
}

}  // namespace nines::collector
