import ProxyProtocol
@_spi(Begat) import UnixCore

/// The parser's answer as a value.
enum Parsed: Equatable {
  case incomplete
  case invalid(ProxyProblem)
  case header(ParsedHeader)

  init(_ bytes: [UInt8], accepting versions: ProxyVersion = .any) {
    self = bytes.withUnsafeBytes { bytes in
      switch ProxyHeader.parse(bytes, accepting: versions) {
      case .incomplete: .incomplete
      case .invalid(let problem): .invalid(problem)
      case .header(let header): .header(ParsedHeader(header, in: bytes))
      }
    }
  }

  init(_ text: String, accepting versions: ProxyVersion = .any) { self.init(Array(text.utf8), accepting: versions) }

  var header: ParsedHeader? {
    guard case .header(let header) = self else { return nil }
    return header
  }
}

struct ParsedHeader: Equatable {
  let length: Int
  let version: Int
  /// `-` without an address.
  let source: String
  let destination: String
  let variables: [String: String]

  init(
    length: Int, version: Int, from source: String = "-", to destination: String = "-",
    variables: [String: String] = [:]
  ) {
    self.length = length
    self.version = version
    self.source = source
    self.destination = destination
    self.variables = variables
  }

  init(_ header: ProxyHeader, in bytes: UnsafeRawBufferPointer) {
    var variables: [String: String] = [:]
    ProxyExtensions(of: header, in: bytes).forEachVariable { name, value in
      withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { room in
        var text = ByteWriter(room)
        value.write(to: &text)
        variables["\(name)"] = String(decoding: text.bytes, as: UTF8.self)
      }
    }
    self.init(
      length: header.length, version: header.version, from: header.addresses.map { text($0.source) } ?? "-",
      to: header.addresses.map { text($0.destination) } ?? "-", variables: variables)
  }
}

/// An address as it is, where its description shows a mapped one as IPv4.
private func text(_ address: SocketAddress) -> String {
  if case .ipv6(let host, let port, _) = address { "[\(host)]:\(port)" } else { "\(address)" }
}

/// Bytes in hexadecimal, blanks between them as wanted.
func bytes(_ hexadecimal: String) -> [UInt8] {
  let digits = hexadecimal.compactMap(\.hexDigitValue)
  return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

/// Version 2 up to the byte of version and command.
let signature = bytes("0d0a0d0a 000d0a51 5549540a")

/// A header of version 2 whose length is right.
func binary(_ command: UInt8 = 0x21, _ family: UInt8 = 0x11, _ rest: [UInt8]) -> [UInt8] {
  signature + [command, family] + UInt16(rest.count).bigEndianBytes + rest
}

/// 192.0.2.7:4000 to 198.51.100.1:443.
let addresses = bytes("c0000207 c6336401 0fa0 01bb")
let withAddresses = ParsedHeader(length: 28, version: 2, from: "192.0.2.7:4000", to: "198.51.100.1:443")
