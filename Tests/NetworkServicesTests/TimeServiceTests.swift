import Glibc
import Testing

@testable import NetworkServices

@Suite(.timeLimit(.minutes(30))) struct TimeServiceTests {
  private func bytes(_ seconds: Int64) -> [UInt8] {
    withUnsafeTemporaryAllocation(byteCount: 4, alignment: 4) { room in
      TimeService.write(seconds, into: room)
      return Array(room)
    }
  }

  private func number(_ bytes: [UInt8]) -> UInt32 { bytes.reduce(0) { $0 << 8 | UInt32($1) } }

  @Test(
    "counts from 1900, most significant byte first, modulo 2^32",
    arguments: [
      // RFC 868's own examples.
      (-2_208_988_800, [0x00, 0x00, 0x00, 0x00]), (0, [0x83, 0xaa, 0x7e, 0x80]), (-2_208_988_799, [0, 0, 0, 1]),
      (1, [0x83, 0xaa, 0x7e, 0x81]), (-1, [0x83, 0xaa, 0x7e, 0x7f]),
      // 2036-02-07 06:28:15, 16 and 17.
      (2_085_978_495, [0xff, 0xff, 0xff, 0xff]), (2_085_978_496, [0, 0, 0, 0]), (2_085_978_497, [0, 0, 0, 1]),
      // Before 1900.
      (-2_208_988_801, [0xff, 0xff, 0xff, 0xff]),
    ] as [(Int64, [UInt8])])
  func countsFrom1900(seconds: Int64, expected: [UInt8]) { #expect(bytes(seconds) == expected) }

  @Test("agrees with plain arithmetic at every multiple of 2^32, one before and one after")
  func agreesAtBoundaries() {
    for multiple in Int64(-2000)...2000 {
      for offset in Int64(-1)...1 {
        let seconds = multiple << 32 - 2_208_988_800 + offset
        #expect(number(bytes(seconds)) == UInt32(truncatingIfNeeded: offset), "\(seconds)")
        let plain = multiple << 32 + offset
        #expect(number(bytes(plain)) == UInt32((2_208_988_800 + offset) & 0xffff_ffff), "\(plain)")
      }
    }
    for seconds in [Int64.min, .max] { #expect(bytes(seconds).count == 4) }
  }

  @Test("sends four bytes and ends")
  func sendsFourBytes() throws {
    let before = UInt32(truncatingIfNeeded: CalendarTime.now() + 2_208_988_800)
    let client = try ServedClient(TimeService())
    let reply = try client.receiveAll()
    #expect(reply.count == 4)
    #expect(number(reply) &- before <= 20)
  }

  @Test("answers an empty datagram and perlipc's 0 alike", arguments: ["", "0", "anything"])
  func answersDatagrams(question: String) throws {
    let before = UInt32(truncatingIfNeeded: CalendarTime.now() + 2_208_988_800)
    let reply = try #require(answer(of: TimeService(), to: question))
    #expect(reply.count == 4)
    #expect(number(reply) &- before <= 20)
  }
}
