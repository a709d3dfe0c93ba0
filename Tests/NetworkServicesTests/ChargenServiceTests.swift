import Testing

@testable import NetworkServices

@Suite(.timeLimit(.minutes(30))) struct ChargenServiceTests {
  /// RFC 864's pattern, made another way: a window of 72 that moves along the ring.
  private static let pattern: [UInt8] = {
    let ring = Array(UInt8(32)...126)
    return (0..<95).flatMap { line in (0..<72).map { ring[(line + $0) % 95] } + [13, 10] }
  }()

  @Test("sends lines of 72 characters from a ring of 95, over and over")
  func sendsThePattern() throws {
    let client = try ServedClient(ChargenService())
    let bytes = try client.receive(3 * Self.pattern.count + 1000)
    client.close()
    #expect(bytes == Array((Self.pattern + Self.pattern + Self.pattern + Self.pattern).prefix(bytes.count)))
    #expect(String(decoding: bytes.prefix(74), as: UTF8.self).hasPrefix(" !\"#$%&'()*+,-./0123456789:;<=>?@ABC"))
    #expect(Set(Self.pattern).subtracting([13, 10]) == Set(32...126))
    #expect(client.outcome().failure == .clientClosed)
  }

  @Test("goes on for a client that has ended its own direction, and throws away what it sent")
  func goesOn() throws {
    let client = try ServedClient(ChargenService())
    try client.send([UInt8](repeating: 0, count: 10_000))
    try client.endSending()
    #expect(try client.receive(500_000).count == 500_000)
  }

  @Test("answers a datagram with the pattern's beginning, of 0 to 512 bytes")
  func answersDatagrams() throws {
    let lengths = try (0..<4000).map { _ in
      let bytes = try #require(answer(of: ChargenService()))
      #expect(bytes == Array(Self.pattern.prefix(bytes.count)))
      return bytes.count
    }
    #expect(lengths.allSatisfy { (0...512).contains($0) })
    // 4,000 draws from 513 lengths: the chance that fewer than 480 different ones come is nothing.
    #expect(Set(lengths).count > 480)
  }
}
