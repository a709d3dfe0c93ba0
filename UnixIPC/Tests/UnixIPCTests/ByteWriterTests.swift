import Testing
@_spi(Begat) import UnixCore
import UnixIPC

@Suite struct ByteWriterTests {
  @Test(
    "writes decimals",
    arguments: [0, 1, 9, 10, 99, 100, 4_294_967_295, 9_999_999_999_999_999_999, 10_000_000_000_000_000_000, .max])
  func writesDecimals(number: UInt64) {
    #expect(written { $0.append(decimal: number) } == String(number))
    let digits = String(number)
    for width in 1...20 {
      let expected = String(repeating: "0", count: max(0, width - digits.count)) + digits
      #expect(written { $0.append(decimal: number, width: width) } == expected)
    }
  }

  @Test("writes decimals of smaller numbers")
  func writesSmallDecimals() {
    #expect(written { $0.append(decimal: UInt8.max) } == "255")
    #expect(written { $0.append(decimal: UInt16.max) } == "65535")
    #expect(written { $0.append(decimal: UInt32.max) } == "4294967295")
  }

  @Test("writes nothing past its room and says so", arguments: 0...12)
  func staysInItsRoom(size: Int) {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: size + 4, alignment: 1)
    defer { memory.deallocate() }
    memory.copyBytes(from: [UInt8](repeating: 7, count: size + 4))
    var text = ByteWriter(UnsafeMutableRawBufferPointer(rebasing: memory[..<size]))
    text.append("static" as StaticString)
    text.append("-str" as String)
    #expect(text.isTruncated == (size < 10))
    text.append(UInt8(ascii: "!"))
    text.append(decimal: UInt64(5))
    #expect(text.isTruncated == (size < 12))
    #expect(text.count == min(size, 12))
    #expect(String(decoding: text.bytes, as: UTF8.self) == String("static-str!5".prefix(size)))
    #expect(memory[size...].allSatisfy { $0 == 7 })
  }

  @Test("writes nothing at all for nothing")
  func writesNothing() {
    withUnsafeTemporaryAllocation(byteCount: 0, alignment: 1) { room in
      var text = ByteWriter(room)
      text.append("")
      text.append(UnsafeRawBufferPointer(start: nil, count: 0))
      #expect(text.count == 0 && !text.isTruncated && text.bytes.isEmpty)
    }
  }
}
