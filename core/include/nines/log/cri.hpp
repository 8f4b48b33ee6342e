// CRI container log lines: "2026-11-21T01:35:51.262484239Z stdout F message". Runtimes split long
// lines into P(artial) pieces of 16 KiB that end with an F(ull) one, per stream: see pieces.hpp.
#pragma once

#include <string_view>

#include "nines/log/pieces.hpp"

namespace nines::log {

using CriStream = OutputStream;
using CriLine = Piece;

// False: not a CRI line. A missing P/F tag counts as F.
bool parse_cri(std::string_view line, CriLine& out) noexcept;

}  // namespace nines::log
