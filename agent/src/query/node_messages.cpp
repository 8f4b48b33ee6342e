#include "query/node_messages.hpp"

#include <array>

#include "nines/query/bytes.hpp"
#include "nines/query/plan_codec.hpp"

namespace nines::agent::query {
namespace {

namespace nq = nines::query;

constexpr size_t kMostNotes = 20, kMostNote = 2000, kMostName = 256;
constexpr size_t kReadBytes = size_t{64} * 1024;

Error corrupt(const char* what) {
  return Error{Errc::corrupt, std::string(what) + " that cannot be read"};
}

// Control characters of another machine do not reach this terminal.
std::string for_people(std::string_view text, size_t most) {
  std::string out(text.substr(0, most));
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 && c != '\n') c = ' ';
    if (c == 0x7f) c = ' ';
  }
  return out;
}

// Of ScanStats, in the order of the bytes.
constexpr std::array kStats = {
    &collector::ScanStats::bytes_scanned, &collector::ScanStats::bytes_skipped,
    &collector::ScanStats::bytes_stored,  &collector::ScanStats::records,
    &collector::ScanStats::malformed,     &collector::ScanStats::no_timestamp,
    &collector::ScanStats::truncated,     &collector::ScanStats::shrunk,
    &collector::ScanStats::damaged};

}  // namespace

std::string encode(const NodeAccepted& accepted) {
  std::string out;
  nq::put_text(out, accepted.node);
  nq::put_text(out, accepted.version);
  nq::put_varint(out, accepted.files);
  nq::put_varint(out, accepted.bytes_total);
  return out;
}

Result<NodeAccepted> decode_accepted(std::string_view body) {
  NodeAccepted out;
  std::string_view node, version;
  uint64_t files = 0;
  if (!nq::get_text(body, node) || !nq::get_text(body, version) || !nq::get_varint(body, files) ||
      files > nq::kFilesANode || !nq::get_varint(body, out.bytes_total) || !body.empty()) {
    return corrupt("an acceptance");
  }
  out.node = for_people(node, kMostName);
  out.version = for_people(version, kMostName);
  out.files = static_cast<uint32_t>(files);
  return out;
}

std::string encode(const NodeProgress& progress) {
  std::string out;
  nq::put_varint(out, progress.bytes_done);
  nq::put_varint(out, progress.bytes_total);
  nq::put_varint(out, progress.rows);
  return out;
}

Result<NodeProgress> decode_progress(std::string_view body) {
  NodeProgress out;
  if (!nq::get_varint(body, out.bytes_done) || !nq::get_varint(body, out.bytes_total) ||
      !nq::get_varint(body, out.rows) || !body.empty()) {
    return corrupt("a progress");
  }
  return out;
}

std::string encode_number(uint32_t first_file) {
  std::string out;
  nq::put_varint(out, first_file);
  return out;
}

Result<uint32_t> decode_number(std::string_view body) {
  uint64_t n = 0;
  if (!nq::get_varint(body, n) || n > UINT32_MAX - nq::kFilesANode || !body.empty()) {
    return corrupt("a number of a file");
  }
  return static_cast<uint32_t>(n);
}

std::string encode_piece(uint64_t number, std::string_view piece) {
  std::string out;
  nq::put_varint(out, number);
  return out.append(piece);
}

Result<std::string_view> decode_piece(uint64_t expected, std::string_view body) {
  uint64_t number = 0;
  if (nq::get_varint(body, number) && number == expected) return body;
  return Error{Errc::corrupt, "a piece of its answer is missing or came twice"};
}

std::string encode_end(const Answer& answer) {
  std::string out;
  nq::put_byte(out, answer.complete ? 1 : 0);
  nq::put_varint(out, answer.files);
  nq::put_varint(out, answer.rows);
  for (const auto member : kStats) nq::put_varint(out, answer.scan.*member);
  nq::put_varint(out, answer.notes.size());
  for (const std::string& note : answer.notes) nq::put_text(out, note);
  return out;
}

Result<Answer> decode_end(std::string_view body) {
  Answer out;
  uint8_t complete = 0;
  uint64_t notes = 0;
  if (!nq::get_byte(body, complete) || complete > 1 || !nq::get_varint(body, out.files) ||
      !nq::get_varint(body, out.rows)) {
    return corrupt("an end");
  }
  out.complete = complete == 1;
  for (const auto member : kStats) {
    if (!nq::get_varint(body, out.scan.*member)) return corrupt("an end");
  }
  if (!nq::get_varint(body, notes) || notes > kMostNotes) return corrupt("an end");
  for (; notes > 0; --notes) {
    std::string_view note;
    if (!nq::get_text(body, note)) return corrupt("an end");
    out.notes.push_back(for_people(note, kMostNote));
  }
  if (!body.empty()) return corrupt("an end");
  return out;
}

std::string encode_error(const Error& error) {
  std::string out;
  nq::put_byte(out, static_cast<uint8_t>(error.code));
  nq::put_text(out, std::string_view(error.message).substr(0, kMostNote));
  return out;
}

Error decode_error(std::string_view body) {
  uint8_t code = 0;
  std::string_view message;
  if (!nq::get_byte(body, code) || code > static_cast<uint8_t>(Errc::cancelled) ||
      !nq::get_text(body, message) || !body.empty()) {
    return corrupt("an error");
  }
  return Error{static_cast<Errc>(code), for_people(message, kMostNote)};
}

Result<stream::Frame> FrameStream::read(Instant deadline) {
  while (true) {
    NINES_TRY(auto frame, decoder_.next());
    if (frame) return std::move(*frame);
    std::array<char, kReadBytes> bytes;
    NINES_TRY(const size_t got, stream_.read(bytes, deadline));
    if (got == 0) return Error{Errc::unavailable, "the connection was ended"};
    decoder_.feed({bytes.data(), got});
  }
}

Status FrameStream::write(NodeMessage type, std::string_view body, Instant deadline) {
  const std::string frame = stream::encode_frame(static_cast<uint8_t>(type), body);
  const std::lock_guard lock(writing_);
  return stream_.write(frame, deadline);
}

}  // namespace nines::agent::query
