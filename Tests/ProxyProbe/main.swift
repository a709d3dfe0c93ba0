// Answers many inputs as the parser does, for comparisons with other parsers.
//
// Reads inputs from standard input, each after its length (four bytes, most significant first); writes a line for each:
// `incomplete`, `invalid`, or the header as `describe` writes it.  With the argument `reasons`, the reason follows `invalid`.

import Glibc
import ProxyProtocol
@_spi(Begat) import UnixCore

guard let source = fdopen(0, "r"), let sink = fdopen(1, "w") else { exit(1) }
let showsReasons = CommandLine.arguments.dropFirst().first == "reasons"

/// The family, then the address: a mapped address looks like one of IPv4.
func write(_ address: SocketAddress, to line: inout ByteWriter) {
  switch address {
  case .ipv4: line.append("ipv4/")
  case .ipv6: line.append("ipv6/")
  case .unixPath, .unixAbstract, .unixUnnamed: line.append("unix/")
  }
  address.write(to: &line)
}

/// `header LENGTH VERSION SOURCE DESTINATION NAME=VALUE …`, a `-` for each address that is missing.
func describe(_ header: ProxyHeader, in bytes: UnsafeRawBufferPointer, to line: inout ByteWriter) {
  line.append("header ")
  line.append(decimal: UInt(header.length))
  line.append(" ")
  line.append(decimal: UInt(header.version))
  line.append(" ")
  if let addresses = header.addresses {
    write(addresses.source, to: &line)
    line.append(" ")
    write(addresses.destination, to: &line)
  } else {
    line.append("- -")
  }
  ProxyExtensions(of: header, in: bytes).forEachVariable { name, value in
    line.append(" ")
    line.append(name)
    line.append("=")
    value.write(to: &line)
  }
}

func answer(_ bytes: UnsafeRawBufferPointer, to line: inout ByteWriter) {
  switch ProxyHeader.parse(bytes) {
  case .incomplete: line.append("incomplete")
  case .invalid(let problem):
    line.append("invalid")
    if showsReasons { line.append(" \(problem)") }
  case .header(let header): describe(header, in: bytes, to: &line)
  }
  line.append(UInt8(ascii: "\n"))
}

/// Whether exactly so many bytes came.
func fill(_ room: UnsafeMutableRawBufferPointer) -> Bool {
  room.isEmpty || fread(room.baseAddress, room.count, 1, source) == 1
}

let maxInput = 1 << 17
let maxLine = 1 << 15
let head = UnsafeMutableRawBufferPointer.allocate(byteCount: 4, alignment: 4)
let line = UnsafeMutableRawBufferPointer.allocate(byteCount: maxLine, alignment: 1)
while fill(head) {
  let length = Int(UInt32(bigEndian: head.load(as: UInt32.self)))
  precondition(length <= maxInput)
  // Memory of exactly this size, so that a checker of memory notices a read behind the input.
  let input = UnsafeMutableRawBufferPointer.allocate(byteCount: length, alignment: 1)
  guard fill(input) else { exit(1) }
  var writer = ByteWriter(line)
  answer(UnsafeRawBufferPointer(input), to: &writer)
  precondition(!writer.isTruncated)
  fwrite(writer.bytes.baseAddress, writer.count, 1, sink)
  input.deallocate()
}
fflush(sink)
