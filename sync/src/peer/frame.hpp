// Frames between peers are those of every stream between nodes.
#pragma once

#include "nines/stream/frame.hpp"

namespace nines::peer {

using stream::encode_frame;
using stream::Frame;
using stream::FrameDecoder;
using stream::kFlagZstd;
using stream::kFrameHeader;
using stream::kFrameVersion;
using stream::kMaxBody;
using stream::kMaxFirstBody;

}  // namespace nines::peer
