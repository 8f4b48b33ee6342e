#include "peer/dns_packet.hpp"

#include <algorithm>

namespace nines::peer::dns {
namespace {

constexpr size_t kMaxName = 255, kMaxLabel = 63;
constexpr size_t kMaxRecords = 256;  // of one message
constexpr uint16_t kClassIn = 1, kTopBit = 0x8000;
constexpr uint16_t kResponse = 0x8400;  // QR, AA

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

void put16(std::string& out, uint16_t v) {
  out += static_cast<char>(v >> 8);
  out += static_cast<char>(v & 0xff);
}
void put32(std::string& out, uint32_t v) {
  put16(out, static_cast<uint16_t>(v >> 16));
  put16(out, static_cast<uint16_t>(v & 0xffff));
}

void put_name(std::string& out, std::string_view name) {
  std::string label;
  const auto end_label = [&] {
    if (!label.empty()) {
      label.resize(std::min(label.size(), kMaxLabel));
      out += static_cast<char>(label.size());
      out += label;
    }
    label.clear();
  };
  for (size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '\\' && i + 1 < name.size()) {
      label += name[++i];
    } else if (name[i] == '.') {
      end_label();
    } else {
      label += name[i];
    }
  }
  end_label();
  out += '\0';
}

std::string data_of(const Record& record) {
  std::string data;
  switch (record.type) {
    case Type::ptr: put_name(data, record.target); break;
    case Type::srv:
      put32(data, 0);  // priority, weight
      put16(data, record.port);
      put_name(data, record.target);
      break;
    case Type::txt:
      for (const std::string& text : record.texts) {
        const size_t size = std::min<size_t>(text.size(), 255);
        data += static_cast<char>(size);
        data.append(text, 0, size);
      }
      if (data.empty()) data += '\0';
      break;
    default: data = record.data; break;
  }
  return data;
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : all_(bytes) {}

  bool u16(uint16_t& v) {
    if (all_.size() - at_ < 2) return false;
    v = static_cast<uint16_t>(byte(at_) << 8 | byte(at_ + 1));
    at_ += 2;
    return true;
  }
  bool u32(uint32_t& v) {
    uint16_t high = 0, low = 0;
    if (!u16(high) || !u16(low)) return false;
    v = uint32_t{high} << 16 | low;
    return true;
  }
  bool skip(size_t n) {
    if (all_.size() - at_ < n) return false;
    at_ += n;
    return true;
  }
  std::string_view rest(size_t n) const { return all_.substr(at_, n); }
  size_t at() const { return at_; }

  // A pointer leads back to before the name that it ends, so that there is no circle.
  bool name(std::string& out) {
    out.clear();
    size_t at = at_, least = at_;
    bool jumped = false;
    while (at < all_.size()) {
      const uint8_t size = byte(at);
      if (size == 0) {
        if (!jumped) at_ = at + 1;
        return true;
      }
      if ((size & 0xc0) == 0xc0) {
        if (at + 1 >= all_.size()) return false;
        const size_t to = static_cast<size_t>(size & 0x3f) << 8 | byte(at + 1);
        if (to >= least) return false;
        if (!jumped) at_ = at + 2;
        jumped = true;
        at = least = to;
        continue;
      }
      if (size > kMaxLabel || at + 1 + size > all_.size()) return false;
      if (!out.empty()) out += '.';
      for (const char c : all_.substr(at + 1, size)) {
        if (c == '.' || c == '\\') out += '\\';
        out += c;
      }
      if (out.size() > kMaxName) return false;
      at += 1U + size;
    }
    return false;
  }

 private:
  uint8_t byte(size_t i) const { return static_cast<uint8_t>(all_[i]); }
  std::string_view all_;
  size_t at_ = 0;
};

bool read_texts(std::string_view data, std::vector<std::string>& out) {
  while (!data.empty()) {
    const size_t size = static_cast<uint8_t>(data[0]);
    if (size + 1 > data.size()) return false;
    out.emplace_back(data.substr(1, size));
    data.remove_prefix(size + 1);
  }
  return true;
}

// `known`: of a type that means something here.
bool read_record(Reader& in, std::string_view all, Record& record, bool& known) {
  uint16_t type = 0, of_class = 0, size = 0;
  if (!in.name(record.name) || !in.u16(type) || !in.u16(of_class) || !in.u32(record.ttl_s) ||
      !in.u16(size)) {
    return false;
  }
  const std::string_view data = in.rest(size);
  if (data.size() != size) return false;
  record.type = static_cast<Type>(type);
  record.unique = (of_class & kTopBit) != 0;
  known = (of_class & ~kTopBit) == kClassIn;
  Reader inside(all.substr(0, in.at() + size));
  bool good = inside.skip(in.at());
  switch (record.type) {
    case Type::a:
    case Type::aaaa:
      record.data = data;
      good = good && size == (record.type == Type::a ? 4 : 16);
      break;
    case Type::ptr: good = good && inside.name(record.target); break;
    case Type::txt: good = good && read_texts(data, record.texts); break;
    case Type::srv: {
      uint32_t order = 0;
      good = good && inside.u32(order) && inside.u16(record.port) && inside.name(record.target);
      break;
    }
    default: known = false;
  }
  return good && in.skip(size);
}

}  // namespace

std::string encode(const Message& message) {
  std::string questions, records;
  uint16_t asked = 0, told = 0;
  for (const Question& question : message.questions) {
    put_name(questions, question.name);
    put16(questions, static_cast<uint16_t>(question.type));
    put16(questions, kClassIn);
    ++asked;
  }
  for (const Record& record : message.records) {
    std::string one;
    put_name(one, record.name);
    put16(one, static_cast<uint16_t>(record.type));
    put16(one, record.unique ? kTopBit | kClassIn : kClassIn);
    put32(one, record.ttl_s);
    const std::string data = data_of(record);
    put16(one, static_cast<uint16_t>(data.size()));
    one += data;
    if (12 + questions.size() + records.size() + one.size() > kMaxMessage) break;
    records += one;
    ++told;
  }
  std::string out;
  put16(out, 0);  // id
  put16(out, message.response ? kResponse : 0);
  put16(out, asked);
  put16(out, told);
  put32(out, 0);  // no authority, no additional ones
  return out + questions + records;
}

Result<Message> decode(std::string_view bytes) {
  const Error corrupt{Errc::corrupt, "not a DNS message"};
  Reader in(bytes);
  uint16_t id = 0, flags = 0, asked = 0, answers = 0, authority = 0, additional = 0;
  if (!in.u16(id) || !in.u16(flags) || !in.u16(asked) || !in.u16(answers) || !in.u16(authority) ||
      !in.u16(additional)) {
    return corrupt;
  }
  const size_t records = size_t{answers} + authority + additional;
  if (asked + records > kMaxRecords) return corrupt;
  Message message;
  message.response = (flags & 0x8000) != 0;
  for (size_t i = 0; i < asked; ++i) {
    Question question;
    uint16_t type = 0, of_class = 0;
    if (!in.name(question.name) || !in.u16(type) || !in.u16(of_class)) return corrupt;
    question.type = static_cast<Type>(type);
    message.questions.push_back(std::move(question));
  }
  for (size_t i = 0; i < records; ++i) {
    Record record;
    bool known = false;
    if (!read_record(in, bytes, record, known)) return corrupt;
    if (known) message.records.push_back(std::move(record));
  }
  return message;
}

bool same_name(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return lower(x) == lower(y); });
}

std::string as_label(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, kMaxLabel)) {
    if (c == '.' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace nines::peer::dns
