// Uses wallprof::profile alone: decodes, validates and encodes.
#include <wallprof/formats.h>
#include <wallprof/profile.h>

#include <iostream>

int main() {
  const auto profile = wallprof::DecodeFolded("main;serve 1000\n");
  if (!profile.ok() || !wallprof::CheckValid(*profile).ok()) return 1;
  const auto copy = wallprof::Decode(wallprof::EncodePprof(*profile));
  if (!copy.ok()) return 1;
  std::cout << wallprof::EncodeFolded(*copy);
  return wallprof::EncodeFolded(*copy) == "main;serve 1000\n" ? 0 : 1;
}
