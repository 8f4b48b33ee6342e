#include "nines/collector/scan.hpp"

namespace nines::collector {

void ScanStats::add(const ScanStats& other) noexcept {
  bytes_scanned += other.bytes_scanned;
  bytes_skipped += other.bytes_skipped;
  bytes_stored += other.bytes_stored;
  records += other.records;
  malformed += other.malformed;
  no_timestamp += other.no_timestamp;
  truncated += other.truncated;
  shrunk += other.shrunk;
  damaged += other.damaged;
  fields_seen |= other.fields_seen;
  partly = partly || other.partly;
}

}  // namespace nines::collector
