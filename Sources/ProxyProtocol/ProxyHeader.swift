import UnixCore

/// The header by which a proxy names its client, in front of the client's first byte.
///
/// Source: HAProxy's doc/proxy-protocol.txt.
public struct ProxyHeader {
  /// The header's length in bytes; the client's data follows.
  public let length: Int
  /// 1 for a line of text, 2 for the binary form.
  public let version: Int
  /// The ends of the client's connection; nil if the header names none that can be used: a connection without a client
  /// (LOCAL, UNKNOWN), whose ends are the proxy and this machine.
  ///
  /// Addresses are never mapped: `::ffff:192.0.2.7` is the IPv4 address that it means.
  public let addresses: Addresses?
  /// The range of the TLVs (``ProxyExtensions``); empty for version 1, and if no addresses precede them.
  public let extensions: Range<Int>

  /// The two ends of the connection between the client and the proxy.
  public struct Addresses: Hashable, Sendable {
    /// The client's address.
    public let source: SocketAddress
    /// The address to which the client connected.
    public let destination: SocketAddress

    /// A pair of internet addresses, unmapped.
    public init(source: SocketAddress, destination: SocketAddress) {
      self.source = source.unmapped
      self.destination = destination.unmapped
    }
  }

  /// The largest header that is accepted, of either version.
  ///
  /// The format allows 65,551 bytes, which nothing in use needs.
  public static let maxLength = 4096
  /// The longest line of version 1, including its CR and LF.
  public static let maxLineLength = 107

  /// The result of looking at the first bytes of a connection.
  public enum Answer {
    /// The bytes begin a header, and more are needed.
    case incomplete
    /// No continuation makes the bytes a header.
    case invalid(ProxyProblem)
    /// The bytes begin with this header.
    case header(ProxyHeader)
  }

  /// Looks for a header at the start of the bytes; allocates nothing.
  ///
  /// - Parameter bytes: the first that a connection brought; more than ``maxLength`` are never needed.
  /// - Parameter versions: a header of another version is invalid.
  public static func parse(_ bytes: UnsafeRawBufferPointer, accepting versions: ProxyVersion = .any) -> Answer {
    guard let first = bytes.first else { return .incomplete }
    let isBinary = first == signature[0]
    guard isBinary ? begins(bytes, signature) : begins(bytes, lineStart) else { return .invalid(.noHeader) }
    guard bytes.count >= (isBinary ? signature.utf8CodeUnitCount : lineStart.utf8CodeUnitCount) else {
      return .incomplete
    }
    guard versions.includes(isBinary ? 2 : 1) else { return .invalid(.versionNotAccepted(isBinary ? 2 : 1)) }
    return isBinary ? parseBinary(bytes) : parseLine(bytes)
  }

  /// Version 2 begins with these bytes.
  static let signature: StaticString = "\r\n\r\n\0\r\nQUIT\n"
  /// Version 1 begins with these bytes.
  static let lineStart: StaticString = "PROXY "

  /// Whether the bytes begin with the text, or are the beginning of it.
  private static func begins(_ bytes: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
    for place in 0..<min(bytes.count, text.utf8CodeUnitCount) where bytes[place] != text[place] { return false }
    return true
  }
}

/// The versions of the PROXY protocol that a service accepts.
public enum ProxyVersion: Hashable, Sendable {
  case any, one, two

  func includes(_ version: Int) -> Bool {
    switch self {
    case .any: true
    case .one: version == 1
    case .two: version == 2
    }
  }
}

extension StaticString {
  fileprivate subscript(place: Int) -> UInt8 { utf8Start[place] }
}
