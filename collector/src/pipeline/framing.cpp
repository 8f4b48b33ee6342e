#include "nines/collector/framing.hpp"

#include "nines/log/cri.hpp"
#include "nines/log/docker.hpp"

namespace nines::collector {

bool unwrap(Wrapping wrapping, std::string_view line, std::string& scratch, log::Piece& out,
            bool& copied) {
  if (wrapping == Wrapping::cri) return log::parse_cri(line, out);
  log::DockerLine docker;
  if (!log::parse_docker(line, docker)) return false;
  out.ts = docker.ts;
  out.stream = docker.stream;
  out.partial = docker.partial;
  out.content = log::docker_content(docker, scratch);
  copied = copied || docker.escaped;
  return true;
}

uint32_t Framer::brief() const noexcept {
  uint32_t bits = 1;
  for (const Side& side : sides_) {
    bits = bits << 8 | static_cast<unsigned char>(side.trace.save());
    bits = bits << 1 | (side.begun ? 1u : 0u);
  }
  return bits;
}

void Framer::save(std::string& out) const {
  for (const Side& side : sides_) {
    log::put_le(out, (side.begun ? 1u : 0u) | (side.open.active() ? 2u : 0u), 1);
    out += side.trace.save();
    if (side.open.active()) side.open.save(out);
  }
  log::put_text(out, pieces_.save());
}

bool Framer::restore(log::SavedReader& in) {
  for (Side& side : sides_) {
    const uint64_t flags = in.number(1);
    const std::string_view trace = in.bytes(1);
    if (!in.good() || flags > 3 || !side.trace.restore(trace[0])) return false;
    side.begun = (flags & 1) != 0;
    if ((flags & 2) != 0) side.open.restore(in);
  }
  return pieces_.restore(in.text()) && in.good() && in.at_end();
}

void OpenRecord::save(std::string& out) const {
  log::put_le(out, static_cast<uint64_t>(ts.ns), 8);
  log::put_le(out, static_cast<uint64_t>(at), 8);
  log::put_le(out, truncated ? 1 : 0, 1);
  log::put_le(out, lines_, 4);
  log::put_le(out, text_lines_, 4);
  log::put_le(out, first_line_, 4);
  log::put_le(out, length_ - end_, 4);
  log::put_text(out, own_);
}

void OpenRecord::restore(log::SavedReader& in) {
  ts.ns = static_cast<int64_t>(in.number(8));
  at = static_cast<int64_t>(in.number(8));
  truncated = in.number(1) != 0;
  lines_ = static_cast<uint32_t>(in.number(4));
  text_lines_ = static_cast<uint32_t>(in.number(4));
  const uint64_t first = in.number(4), blank = in.number(4);
  own_ = in.text();
  length_ = own_.size();
  end_ = length_ - static_cast<size_t>(std::min<uint64_t>(blank, length_));
  first_line_ = static_cast<size_t>(std::min<uint64_t>(first, length_));
  active_ = copied_ = true;
  nuls = replaced = 0;
}

}  // namespace nines::collector
