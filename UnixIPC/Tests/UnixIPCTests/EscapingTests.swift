import Testing
@_spi(Begat) import UnixCore
import UnixIPC

@Suite struct EscapingTests {
  @Test("leaves printable ASCII alone and shows every other byte as two digits", arguments: UInt8.min...UInt8.max)
  func escapesEachByte(byte: UInt8) {
    let digits = Array("0123456789abcdef")
    let expected =
      switch byte {
      case UInt8(ascii: "\\"): "\\\\"
      case 0x20...0x7e: String(Unicode.Scalar(byte))
      default: "\\x\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
      }
    #expect(escaped([byte]) == expected)
  }

  @Test("gives different texts for different bytes, so that nobody can forge an escape")
  func isInjective() {
    #expect(escaped("\\x1b".utf8) != escaped([0x1b]))
    #expect(escaped("\\\\".utf8) == "\\\\\\\\")
    let seconds: [UInt8] = [0x1b, 0x5c, 0x78, 0x30, 0x41]
    let pairs: [[UInt8]] = (UInt8.min...UInt8.max).flatMap { first in seconds.map { [first, $0] } }
    #expect(Set(pairs.map { escaped($0) }).count == Set(pairs).count)
  }
}
