import ProxyProtocol
import Testing

@Suite("The extensions of a header")
struct ProxyExtensionsTests {
  /// The variables of a header with these extensions.
  private func variables(_ extensions: [UInt8]...) -> [String: String]? {
    Parsed(binary(0x21, 0x11, addresses + extensions.flatMap { $0 })).header?.variables
  }

  private func part(_ type: UInt8, _ value: [UInt8]) -> [UInt8] { [type] + UInt16(value.count).bigEndianBytes + value }
  private func part(_ type: UInt8, _ value: String) -> [UInt8] { part(type, Array(value.utf8)) }
  private func tls(_ flags: UInt8, verification: UInt32 = 0, _ parts: [UInt8]...) -> [UInt8] {
    part(0x20, [flags] + verification.bigEndianBytes + parts.flatMap { $0 })
  }

  @Test("become variables of fixed names")
  func becomeVariables() {
    #expect(variables() == [:])
    #expect(
      variables(
        part(1, "h2"), part(2, "www.example.com"), part(5, [0, 0xab, 0xff]), part(0x30, "namespace"), part(4, "x"))
        == ["SSL_ALPN": "h2", "SSL_TLS_SNI_SERVERNAME": "www.example.com", "PROXY_UNIQUE_ID": "00abff"])
    #expect(
      variables(
        part(0xe0, bytes("ffffffffc0a86402")), part(0xea, "\u{1}vpce-08d2bf15fac5001c9"), part(0xee, [1, 2, 1, 0, 0]))
        == [
          "GCP_PSC_CONNECTION_ID": "18446744072646845442", "AWS_VPC_ENDPOINT_ID": "vpce-08d2bf15fac5001c9",
          "AZURE_PRIVATE_ENDPOINT_LINKID": "258",
        ])
  }

  @Test("of a header that HAProxy sent become variables")
  func ofHAProxy() {
    let header = bytes(
      """
      0d0a0d0a000d0a515549540a 2111002e 7f000001 7f000001 d6ec 22b3
      20001f 07 00000000 210007 544c5376312e33 22000d 6c69676874686f7573652d3939
      """)
    #expect(
      Parsed(header)
        == .header(
          ParsedHeader(
            length: 62, version: 2, from: "127.0.0.1:55020", to: "127.0.0.1:8883",
            variables: [
              "SSL_PROTOCOL": "TLSv1.3", "SSL_PEER_CERT_CN": "lighthouse-99", "SSL_CLIENT_VERIFY": "SUCCESS",
            ])))
    // A client without TLS, by send-proxy-v2-ssl.
    #expect(variables(tls(0)) == [:])
  }

  @Test("say that a certificate was verified, and its name, only if there was one")
  func sayVerified() {
    let parts = part(0x21, "TLSv1.2") + part(0x23, "ECDHE-RSA-AES128-GCM-SHA256") + part(0x22, "a b, Ltd.")
    let plain = ["SSL_PROTOCOL": "TLSv1.2", "SSL_CIPHER": "ECDHE-RSA-AES128-GCM-SHA256"]
    let verified = plain.merging(["SSL_CLIENT_VERIFY": "SUCCESS", "SSL_PEER_CERT_CN": "a b, Ltd."]) { $1 }
    for flags: UInt8 in [0x03, 0x05, 0x07] {
      #expect(variables(tls(flags, parts)) == verified)
      #expect(variables(tls(flags, verification: 1, parts)) == plain)
      #expect(variables(tls(flags, verification: 1 << 31, parts)) == plain)
    }
    // HAProxy's result of the verification is 0 as well where it asked for no certificate.
    #expect(variables(tls(0x01, parts)) == plain)
    // Not TLS at all.
    for flags: UInt8 in [0x00, 0x02, 0x06] { #expect(variables(tls(flags, parts)) == [:]) }
  }

  @Test(
    "with unexpected characters are left out",
    arguments: [
      "", "a b", "a\0b", "public\0x", "a\n", "a=b", "é", "\u{7f}", "() { :;}", "$(x)", "a;b", "a\"", "*", "-rf",
    ])
  func areLeftOut(value: String) {
    for type: UInt8 in [0x01, 0x02] { #expect(variables(part(type, value)) == [:]) }
    #expect(variables(part(0xea, "\u{1}" + value)) == [:])
    #expect(variables(tls(0x01, part(0x21, value), part(0x23, value))) == [:])
  }

  @Test(
    "name a certificate in printable characters without quotes",
    arguments: ["", "a\"b", "a'b", "`a`", "$a", "a\\b", "a\nb", "é", "a\0", "-rf"])
  func nameCertificate(value: String) {
    #expect(variables(tls(0x03, part(0x22, value))) == ["SSL_CLIENT_VERIFY": "SUCCESS"])
  }

  @Test("of unexpected length or shape are left out")
  func haveLengths() {
    let long = [UInt8](repeating: UInt8(ascii: "x"), count: 1025)
    #expect(variables(part(5, []), part(5, Array(long.prefix(129)))) == [:])
    #expect(variables(part(5, Array(long.prefix(128))))?["PROXY_UNIQUE_ID"]?.count == 256)
    #expect(variables(part(1, Array(long.prefix(256))), part(2, Array(long.prefix(256)))) == [:])
    #expect(variables(part(2, Array(long.prefix(255))))?["SSL_TLS_SNI_SERVERNAME"]?.count == 255)
    #expect(variables(tls(0x01, part(0x21, Array(long.prefix(65))), part(0x23, Array(long.prefix(65))))) == [:])
    #expect(variables(tls(0x03, part(0x22, long))) == ["SSL_CLIENT_VERIFY": "SUCCESS"])
    #expect(variables(part(0xe0, Array(long.prefix(7))), part(0xe0, Array(long.prefix(9)))) == [:])
    #expect(variables(part(0xea, []), part(0xea, "\u{2}vpce-1"), part(0xea, "vpce-1"), part(0xea, "\u{1}a.b")) == [:])
    #expect(variables(part(0xee, [1, 2, 3, 4]), part(0xee, [2, 2, 1, 0, 0]), part(0xee, [1, 2, 1, 0, 0, 0])) == [:])
  }

  @Test("of one type count once, the first that is as expected")
  func countOnce() {
    #expect(variables(part(2, "a b"), part(2, "first"), part(2, "second")) == ["SSL_TLS_SNI_SERVERNAME": "first"])
    #expect(
      variables(tls(0x01, part(0x21, "TLSv1.2")), tls(0x03, part(0x21, "TLSv1.3"))) == [
        "SSL_PROTOCOL": "TLSv1.2", "SSL_CLIENT_VERIFY": "SUCCESS",
      ])
  }
}
