import Glibc

/// The address of a socket: where it listens, or where its peer is.
///
/// Source: ip(7), ipv6(7), unix(7).
public enum SocketAddress: Hashable, Sendable {
  /// An IPv4 address and a port; port 0 lets the kernel choose one.
  case ipv4(IPv4Address, port: UInt16)
  /// `scope` is the interface's index of a link-local address, else 0.
  case ipv6(IPv6Address, port: UInt16, scope: UInt32 = 0)
  /// The path of a socket's file; any bytes but NUL.
  case unixPath(UnixPath)
  /// A name of Linux's own, in no file system; any bytes.
  case unixAbstract([UInt8])
  /// A Unix socket that was never bound: most clients.
  case unixUnnamed

  /// The socket's file at a path that is text.
  public static func unixPath(_ path: String) -> SocketAddress { .unixPath(UnixPath(path)) }

  /// The port of an internet address.
  public var port: UInt16? {
    switch self {
    case .ipv4(_, let port), .ipv6(_, let port, _): port
    case .unixPath, .unixAbstract, .unixUnnamed: nil
    }
  }

  /// The host of an internet address as text, without the port and without brackets; nil for a Unix socket.
  ///
  /// A mapped IPv4 address is shown as the IPv4 address that it is, and the scope of a link-local one behind a `%`.
  public var host: String? {
    switch unmapped {
    case .ipv4(let address, _): "\(address)"
    case .ipv6(let address, _, let scope): scope == 0 ? "\(address)" : "\(address)%\(scope)"
    case .unixPath, .unixAbstract, .unixUnnamed: nil
    }
  }

  /// Whether it is the address of a Unix socket.
  public var isUnix: Bool { port == nil }
}

extension SocketAddress {
  /// Reads `127.0.0.1:80`, `[::1]:80`, `[fe80::1%eth0]:80`, `/path` or `@abstract`; nil for anything else.
  ///
  /// Numbers only: the module `NameService` knows the names of hosts and services.
  public init?(_ text: String) {
    if text.hasPrefix("/") {
      self = .unixPath(text)
    } else if text.hasPrefix("@") {
      self = .unixAbstract(Array(text.utf8.dropFirst()))
    } else {
      guard let colon = text.lastIndex(of: ":"), let port = UInt16(decimal: text[text.index(after: colon)...]) else {
        return nil
      }
      self.init(host: String(text[..<colon]), port: port)
    }
  }

  /// An internet address from its host part, an IPv6 one in brackets.
  public init?(host: String, port: UInt16) {
    guard host.hasPrefix("[") else {
      guard let address = IPv4Address(host) else { return nil }
      self = .ipv4(address, port: port)
      return
    }
    guard host.hasSuffix("]") else { return nil }
    let parts = host.dropFirst().dropLast().split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
    guard let first = parts.first, let address = IPv6Address(String(first)) else { return nil }
    var scope: UInt32 = 0
    if parts.count == 2 {
      scope = UInt32(decimal: parts[1]) ?? NetworkInterface(named: String(parts[1]))?.index ?? 0
      guard scope != 0 else { return nil }
    }
    self = .ipv6(address, port: port, scope: scope)
  }
}

extension SocketAddress {
  /// Appends what `description` says, without allocating where the address is an internet address.
  ///
  /// Byte by byte: each connection process shows an address, and would pay for the page on which a literal lies.
  @_spi(Begat) public func write(to text: inout ByteWriter) {
    switch self {
    case .ipv4(let address, let port):
      address.write(to: &text)
      text.append(UInt8(ascii: ":"))
      text.append(decimal: port)
    case .ipv6(let address, let port, let scope):
      if let mapped = address.unmapped {
        mapped.write(to: &text)
        text.append(UInt8(ascii: ":"))
      } else {
        text.append(UInt8(ascii: "["))
        address.write(to: &text)
        if scope != 0 {
          text.append(UInt8(ascii: "%"))
          text.append(decimal: scope)
        }
        text.append("]:")
      }
      text.append(decimal: port)
    case .unixUnnamed: text.append("unix")
    case .unixPath, .unixAbstract: text.append(description)
    }
  }
}

extension SocketAddress {
  /// The IPv4 address that a mapped IPv6 address (`::ffff:192.0.2.7`) means; any other address as it is.
  ///
  /// A socket that takes both families shows its IPv4 clients in the mapped form.
  ///
  /// Source: RFC 4291 section 2.5.5.2.
  public var unmapped: SocketAddress {
    guard case .ipv6(let address, let port, _) = self, let mapped = address.unmapped else { return self }
    return .ipv4(mapped, port: port)
  }
}

extension SocketAddress: CustomStringConvertible {
  /// The form that `init(_:)` reads, unprintable bytes escaped; a mapped IPv4 address as the IPv4 address it is.
  public var description: String {
    switch self {
    case .ipv4(let address, let port): "\(address):\(port)"
    case .ipv6(let address, let port, let scope):
      if let mapped = address.unmapped {
        "\(mapped):\(port)"
      } else if scope != 0 {
        "[\(address)%\(scope)]:\(port)"
      } else {
        "[\(address)]:\(port)"
      }
    case .unixPath(let path): escaped(path.bytes)
    case .unixAbstract(let name): "@" + escaped(name)
    case .unixUnnamed: "unix"
    }
  }
}
