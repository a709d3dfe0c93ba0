/// The reasons why the first bytes of a connection are not an acceptable header of the PROXY protocol.
public enum ProxyProblem: Hashable, Sendable {
  case noHeader
  case versionNotAccepted(Int)
  // Version 1.
  case lineTooLong
  case loneLineFeed
  case loneCarriageReturn
  case unknownProtocol
  case wrongFields
  case wrongAddress
  case wrongPort
  // Version 2.
  case wrongVersion(UInt8)
  case unknownCommand(UInt8)
  case unknownFamily(UInt8)
  case unknownTransport(UInt8)
  case tooLong(Int)
  /// The length of the rest of the header, and the length that its addresses need.
  case addressesTooShort(Int, Int)
  /// A TLV of this type extends beyond its container.
  case overrun(UInt8)
  /// The rest is shorter than the head of a TLV.
  case rest
  case secondChecksum
  case wrongChecksum
}

extension ProxyProblem: CustomStringConvertible {
  /// The reason, for a line of a log.
  public var description: String {
    switch self {
    case .noHeader: "no PROXY header"
    case .versionNotAccepted(let version): "PROXY header of version \(version), which proxy-version excludes"
    case .lineTooLong: "v1 line longer than \(ProxyHeader.maxLineLength) bytes"
    case .loneLineFeed: "v1 line ends in LF without CR"
    case .loneCarriageReturn: "CR without LF in a v1 line"
    case .unknownProtocol: "v1 protocol is none of TCP4, TCP6, UNKNOWN"
    case .wrongFields: "v1 line has not two addresses and two ports between single spaces"
    case .wrongAddress: "v1 line has an address that its protocol does not allow"
    case .wrongPort: "v1 line has a port that is not a number from 0 to 65535 without leading zeros"
    case .wrongVersion(let version): "v2 header states version \(version)"
    case .unknownCommand(let command): "v2 command \(command) is neither LOCAL nor PROXY"
    case .unknownFamily(let family): "v2 address family \(family) is unknown"
    case .unknownTransport(let transport): "v2 transport \(transport) is unknown"
    case .tooLong(let length): "v2 header of \(length) bytes is longer than \(ProxyHeader.maxLength)"
    case .addressesTooShort(let length, let needed): "v2 length \(length) is less than the \(needed) of its addresses"
    case .overrun(let type): "v2 extension \(type) is longer than the header has room for"
    case .rest: "v2 header ends within the head of an extension"
    case .secondChecksum: "v2 header has two checksums"
    case .wrongChecksum: "v2 checksum is wrong"
    }
  }
}
