@_spi(Begat) import UnixCore

/// The variables that the TLVs of a header set for a program: a fixed list of names.
///
/// The client chose some of the values, so those that do not consist of expected characters are left out, and so is the
/// name in a certificate that was not verified.
///
/// Source: HAProxy's doc/proxy-protocol.txt section 2.2; the names of TLS are those of s6-tlsd and mod_ssl.
public struct ProxyExtensions {
  private let bytes: UnsafeRawBufferPointer
  private let range: Range<Int>

  /// - Parameter bytes: those that were parsed, the header first.
  public init(of header: ProxyHeader, in bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
    range = header.extensions
  }

  /// - Parameter extensions: the bytes of a header at `ProxyHeader.extensions`.
  public init(_ extensions: UnsafeRawBufferPointer) {
    bytes = extensions
    range = 0..<extensions.count
  }

  /// The names of all variables.
  public static let variableNames = Set(Variable.allCases.map { $0.name.description })

  /// Calls the closure with each variable and its value; no name comes twice, and the first value holds.
  public func forEachVariable(_ body: (StaticString, Value) -> Void) {
    var given: UInt16 = 0
    func give(_ variable: Variable, _ value: Value?) {
      guard let value, given & 1 << variable.rawValue == 0 else { return }
      given |= 1 << variable.rawValue
      body(variable.name, value)
    }

    var cursor = ProxyExtension.Cursor(bytes, range)
    while let part = cursor.next() {
      let value = part.value
      switch part.type {
      case ProxyExtension.Known.uniqueID: give(.uniqueID, identifier(value))
      case ProxyExtension.Known.authority: give(.serverName, text(value, of: ProxyExtensions.hostCharacters, upTo: 255))
      case ProxyExtension.Known.alpn: give(.alpn, text(value, of: ProxyExtensions.protocolCharacters, upTo: 255))
      case ProxyExtension.Known.amazon: give(.amazonEndpoint, amazonEndpoint(value))
      case ProxyExtension.Known.azure: give(.azureLink, azureLink(value))
      case ProxyExtension.Known.google: give(.googleConnection, googleConnection(value))
      case ProxyExtension.Known.tls: forEachTLSVariable(value, give)
      default: break
      }
    }
  }

  /// The variables about the client's TLS connection.
  private func forEachTLSVariable(_ value: Range<Int>, _ give: (Variable, Value?) -> Void) {
    guard value.count >= ProxyExtension.tlsHeadLength else { return }
    let flags = bytes[value.lowerBound]
    // HAProxy sends the result 0 as well where the client showed no certificate.
    let isVerified =
      flags & TLSFlags.certificate != 0 && bytes.bigEndian(UInt32.self, at: value.lowerBound + 1) == 0
    guard flags & TLSFlags.tls != 0 else { return }
    if isVerified { give(.verification, Value(form: .success, bytes: bytes)) }
    var cursor = ProxyExtension.Cursor(bytes, value.dropFirst(ProxyExtension.tlsHeadLength))
    while let part = cursor.next() {
      switch part.type {
      case ProxyExtension.Known.tlsVersion:
        give(.tlsVersion, text(part.value, of: ProxyExtensions.protocolCharacters, upTo: 64))
      case ProxyExtension.Known.tlsCipher:
        give(.tlsCipher, text(part.value, of: ProxyExtensions.protocolCharacters, upTo: 64))
      case ProxyExtension.Known.tlsCommonName where isVerified:
        give(.commonName, text(part.value, of: ProxyExtensions.nameCharacters, upTo: 1024))
      default: break
      }
    }
  }

  private enum TLSFlags {
    static let tls: UInt8 = 0x01
    /// Shown over this connection, or over an earlier one of the same session.
    static let certificate: UInt8 = 0x02 | 0x04
  }

  /// The value of a variable.
  public struct Value {
    fileprivate enum Form { case text, hexadecimal, number(UInt64), success }
    fileprivate let form: Form
    fileprivate let bytes: UnsafeRawBufferPointer

    /// Appends the value, which has no NUL and no line end.
    package func write(to text: inout ByteWriter) {
      switch form {
      case .text: text.append(bytes)
      case .number(let number): text.append(decimal: number)
      case .success: text.append("SUCCESS")
      case .hexadecimal:
        for byte in bytes {
          text.append(hexadecimalDigit(byte >> 4))
          text.append(hexadecimalDigit(byte & 15))
        }
      }
    }
  }
}

/// The names.
private enum Variable: UInt16, CaseIterable {
  case uniqueID, serverName, alpn, tlsVersion, tlsCipher, verification, commonName
  case amazonEndpoint, azureLink, googleConnection

  var name: StaticString {
    switch self {
    case .uniqueID: "PROXY_UNIQUE_ID"
    case .serverName: "SSL_TLS_SNI_SERVERNAME"
    case .alpn: "SSL_ALPN"
    case .tlsVersion: "SSL_PROTOCOL"
    case .tlsCipher: "SSL_CIPHER"
    case .verification: "SSL_CLIENT_VERIFY"
    case .commonName: "SSL_PEER_CERT_CN"
    case .amazonEndpoint: "AWS_VPC_ENDPOINT_ID"
    case .azureLink: "AZURE_PRIVATE_ENDPOINT_LINKID"
    case .googleConnection: "GCP_PSC_CONNECTION_ID"
    }
  }
}

/// Values; nil for one that is not as expected.
extension ProxyExtensions {
  private static let hostCharacters = ASCIISet.letters.union(.digits).union(".-")
  private static let protocolCharacters = ASCIISet.letters.union(.digits).union(".-_/+")
  private static let identifierCharacters = ASCIISet.letters.union(.digits).union("-")
  /// Printable, without quotes, the dollar sign, the backquote and the backslash.
  private static let nameCharacters = ASCIISet.letters.union(.digits).union(" !#%&()*+,-./:;<=>?@[]^_{|}~")

  private func text(_ value: Range<Int>, of allowed: ASCIISet, upTo maximum: Int) -> Value? {
    let text = UnsafeRawBufferPointer(rebasing: bytes[value])
    // Commands would take a first "-" for an option's.
    guard let first = text.first, first != UInt8(ascii: "-"), text.count <= maximum, text.allSatisfy(allowed.contains)
    else { return nil }
    return Value(form: .text, bytes: text)
  }

  private func identifier(_ value: Range<Int>) -> Value? {
    guard !value.isEmpty, value.count <= 128 else { return nil }
    return Value(form: .hexadecimal, bytes: UnsafeRawBufferPointer(rebasing: bytes[value]))
  }

  /// The value follows a subtype byte.
  private func amazonEndpoint(_ value: Range<Int>) -> Value? {
    guard let type = value.first, bytes[type] == 1 else { return nil }
    return text(value.dropFirst(), of: ProxyExtensions.identifierCharacters, upTo: 255)
  }

  /// The value follows a subtype byte, least significant byte first.
  private func azureLink(_ value: Range<Int>) -> Value? {
    guard value.count == 5, bytes[value.lowerBound] == 1 else { return nil }
    let number = bytes.bigEndian(UInt32.self, at: value.lowerBound + 1).byteSwapped
    return Value(form: .number(UInt64(number)), bytes: bytes)
  }

  private func googleConnection(_ value: Range<Int>) -> Value? {
    guard value.count == 8 else { return nil }
    return Value(form: .number(bytes.bigEndian(UInt64.self, at: value.lowerBound)), bytes: bytes)
  }
}

private func hexadecimalDigit(_ number: UInt8) -> UInt8 {
  number < 10 ? UInt8(ascii: "0") + number : UInt8(ascii: "a") + number - 10
}
