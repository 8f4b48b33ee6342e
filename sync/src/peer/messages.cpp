#include "peer/messages.hpp"

#include <msgpack/pack.hpp>

#include "peer/msgpack_reader.hpp"

namespace nines::peer {
namespace {

using fleet::kMaxName;
using fleet::PartKey;
using fleet::PartKind;

constexpr size_t kMaxText = 512;  // of a goodbye
constexpr uint64_t kCapabilityBits = (uint64_t{1} << 48) - 1;

struct Sink {
  std::string& out;
  void write(const char* bytes, size_t size) { out.append(bytes, size); }
};

class Writer {
 public:
  explicit Writer(std::string& out) : sink_{out}, packer_(sink_) {}
  Writer& array(size_t n) {
    packer_.pack_array(static_cast<uint32_t>(n));
    return *this;
  }
  Writer& number(uint64_t n) {
    packer_.pack_uint64(n);
    return *this;
  }
  Writer& integer(int64_t n) {
    packer_.pack_int64(n);
    return *this;
  }
  Writer& boolean(bool yes) {
    if (yes) {
      packer_.pack_true();
    } else {
      packer_.pack_false();
    }
    return *this;
  }
  Writer& text(std::string_view text) {
    packer_.pack_str(static_cast<uint32_t>(text.size()));
    packer_.pack_str_body(text.data(), static_cast<uint32_t>(text.size()));
    return *this;
  }
  Writer& binary(std::string_view bytes) {
    packer_.pack_bin(static_cast<uint32_t>(bytes.size()));
    packer_.pack_bin_body(bytes.data(), static_cast<uint32_t>(bytes.size()));
    return *this;
  }
  Writer& key(const PartKey& key) {
    return number(static_cast<uint64_t>(key.kind))
        .number(key.id)
        .number(key.stream)
        .integer(key.index);
  }

 private:
  Sink sink_;
  msgpack::packer<Sink> packer_;
};

PartKey read_key(MsgpackReader& in) {
  PartKey key;
  const uint64_t kind = in.number();
  key.id = in.number();
  const uint64_t stream = in.number();
  key.index = in.integer();
  if (kind > static_cast<uint64_t>(PartKind::events) || stream > 255) in.fail();
  key.kind = static_cast<PartKind>(kind & 7);
  key.stream = static_cast<uint8_t>(stream & 255);
  return key;
}

std::string read_name(MsgpackReader& in) {
  const auto name = in.text(kMaxName);
  if (name.empty()) in.fail();
  return std::string(name);
}

void fields(MsgpackReader& in, size_t count) {
  if (in.array(count) != count) in.fail();
}

// write() and read() of each message stand together.
void write(Writer& out, const Hello& m) {
  out.array(8).text(m.cluster).text(m.node).number(m.boot).number(m.incarnation);
  out.number(m.protocol_min)
      .number(m.protocol_max)
      .number((m.capabilities & kCapabilityBits) | uint64_t{m.port} << 48)
      .integer(m.wall.ns);
}
void read(MsgpackReader& in, Hello& m) {
  fields(in, 8);
  m.cluster = in.text(kMaxName);
  m.node = read_name(in);
  m.boot = in.number();
  m.incarnation = in.number();
  m.protocol_min = in.number();
  m.protocol_max = in.number();
  const uint64_t bits = in.number();
  m.capabilities = bits & kCapabilityBits;
  m.port = static_cast<uint16_t>(bits >> 48);
  m.wall.ns = in.integer();
  if (m.boot == 0) in.fail();
}

void write(Writer& out, const Welcome& m) {
  out.array(2).number(m.known_boot).number(m.known_incarnation);
}
void read(MsgpackReader& in, Welcome& m) {
  fields(in, 2);
  m.known_boot = in.number();
  m.known_incarnation = in.number();
}

void write(Writer& out, const Ping& m) {
  out.array(4).integer(m.t1).integer(m.offset_ns).integer(m.uncertainty_ns).number(m.state);
}
void read(MsgpackReader& in, Ping& m) {
  fields(in, 4);
  m.t1 = in.integer();
  m.offset_ns = in.integer();
  m.uncertainty_ns = in.integer();
  m.state = in.number();
}

void write(Writer& out, const Pong& m) {
  out.array(4).integer(m.t1).integer(m.t2).integer(m.t3).number(m.state);
}
void read(MsgpackReader& in, Pong& m) {
  fields(in, 4);
  m.t1 = in.integer();
  m.t2 = in.integer();
  m.t3 = in.integer();
  m.state = in.number();
}

void write(Writer& out, const Ask& m) {
  out.array(3).number(m.request).text(m.origin).array(m.series.size());
  for (const uint64_t id : m.series) out.number(id);
}
void read(MsgpackReader& in, Ask& m) {
  fields(in, 3);
  m.request = in.number();
  m.origin = in.text(kMaxName);
  for (size_t n = in.array(kMaxSeries); n > 0 && in.ok(); --n) m.series.push_back(in.number());
}

void write(Writer& out, const OriginDigests& m) {
  out.array(2).number(m.request).array(m.origins.size());
  for (const auto& o : m.origins) out.array(3).text(o.origin).integer(o.at.ns).number(o.hash);
}
void read(MsgpackReader& in, OriginDigests& m) {
  fields(in, 2);
  m.request = in.number();
  for (size_t n = in.array(kMaxOrigins); n > 0 && in.ok(); --n) {
    fields(in, 3);
    fleet::OriginDigest digest;
    digest.origin = read_name(in);
    digest.at.ns = in.integer();
    digest.hash = in.number();
    m.origins.push_back(std::move(digest));
  }
}

void write(Writer& out, const PartDigests& m) {
  out.array(3).number(m.request).text(m.origin).array(m.parts.size());
  for (const auto& part : m.parts) out.array(5).key(part.key).number(part.hash);
}
void read(MsgpackReader& in, PartDigests& m) {
  fields(in, 3);
  m.request = in.number();
  m.origin = read_name(in);
  for (size_t n = in.array(kMaxParts); n > 0 && in.ok(); --n) {
    fields(in, 5);
    fleet::PartDigest digest;
    digest.key = read_key(in);
    digest.hash = in.number();
    m.parts.push_back(digest);
  }
}

void write(Writer& out, const Want& m) {
  out.array(3).number(m.request).text(m.origin).array(m.keys.size());
  for (const auto& key : m.keys) out.array(4).key(key);
}
void read(MsgpackReader& in, Want& m) {
  fields(in, 3);
  m.request = in.number();
  m.origin = read_name(in);
  for (size_t n = in.array(kMaxWanted); n > 0 && in.ok(); --n) {
    fields(in, 4);
    m.keys.push_back(read_key(in));
  }
}

void write(Writer& out, const Parts& m) {
  out.array(4).number(m.request).boolean(m.last).text(m.origin).array(m.parts.size());
  for (const auto& part : m.parts) out.array(5).key(part.key).binary(part.body);
}
void read(MsgpackReader& in, Parts& m) {
  fields(in, 4);
  m.request = in.number();
  m.last = in.boolean();
  m.origin = read_name(in);
  for (size_t n = in.array(kMaxParts); n > 0 && in.ok(); --n) {
    fields(in, 5);
    Parts::Part part;
    part.key = read_key(in);
    part.body = in.binary(kMaxBody);
    m.parts.push_back(std::move(part));
  }
}

void write(Writer& out, const Probe& m) { out.array(1).text(m.node); }
void read(MsgpackReader& in, Probe& m) {
  fields(in, 1);
  m.node = read_name(in);
}

void write(Writer& out, const Seen& m) { out.array(2).text(m.node).integer(m.ago_ms); }
void read(MsgpackReader& in, Seen& m) {
  fields(in, 2);
  m.node = read_name(in);
  m.ago_ms = in.integer();
}

void write(Writer& out, const Bye& m) {
  out.array(2).number(static_cast<uint64_t>(m.reason)).text(m.text.substr(0, kMaxText));
}
void read(MsgpackReader& in, Bye& m) {
  fields(in, 2);
  const uint64_t reason = in.number();
  if (reason > static_cast<uint64_t>(Bye::Reason::fault)) in.fail();
  m.reason = static_cast<Bye::Reason>(reason & 7);
  m.text = in.text(kMaxText);
}

std::string read_token(MsgpackReader& in) {
  const auto token = in.binary(kTokenBytes);
  if (token.size() != kTokenBytes) in.fail();
  return std::string(token);
}

void write(Writer& out, const Call& m) { out.array(1).binary(m.token); }
void read(MsgpackReader& in, Call& m) {
  fields(in, 1);
  m.token = read_token(in);
}

void write(Writer& out, const NoCall& m) {
  out.array(2).binary(m.token).text(m.text.substr(0, kMaxText));
}
void read(MsgpackReader& in, NoCall& m) {
  fields(in, 2);
  m.token = read_token(in);
  m.text = in.text(kMaxText);
}

template <size_t kIndex = 0>
Result<Message> read_as(uint8_t type, MsgpackReader& in) {
  if constexpr (kIndex == std::variant_size_v<Message>) {
    return Error{Errc::corrupt, "a message of unknown type " + std::to_string(type)};
  } else {
    if (type != kIndex + 1) return read_as<kIndex + 1>(type, in);
    std::variant_alternative_t<kIndex, Message> message;
    read(in, message);
    if (!in.complete()) {
      return Error{Errc::corrupt, "a message of type " + std::to_string(type) + " is malformed"};
    }
    return Message(std::move(message));
  }
}

}  // namespace

std::string encode(const Message& message) {
  std::string body;
  Writer out(body);
  std::visit([&out](const auto& m) { write(out, m); }, message);
  return encode_frame(static_cast<uint8_t>(message.index() + 1), body);
}

Result<Message> decode(const Frame& frame) {
  MsgpackReader in(frame.body);
  return read_as(frame.type, in);
}

}  // namespace nines::peer
