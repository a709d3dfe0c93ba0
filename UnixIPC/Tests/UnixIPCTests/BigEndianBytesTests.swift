import Testing
import UnixCore

@Suite struct BigEndianBytesTests {
  @Test("are read and written with the most significant one first")
  func areInOrder() {
    #expect(UInt32(bigEndianBytes: [0x83, 0xaa, 0x7e, 0x80]) == 2_208_988_800)
    #expect(UInt32(2_208_988_800).bigEndianBytes == [0x83, 0xaa, 0x7e, 0x80])
    #expect(UInt16(bigEndianBytes: [0x01, 0xf4]) == 500 && UInt16(500).bigEndianBytes == [0x01, 0xf4])
    #expect(UInt8(bigEndianBytes: [0xff]) == 255 && UInt8(255).bigEndianBytes == [0xff])
    #expect(Int8(bigEndianBytes: [0xff]) == -1 && Int32(bigEndianBytes: [0xff, 0xff, 0xff, 0xfe]) == -2)
    #expect(Int64(bigEndianBytes: Int64.min.bigEndianBytes) == .min)
    #expect(UInt64(bigEndianBytes: [9, 1, 2, 3, 4, 5, 6, 7, 8][1...]) == 0x0102_0304_0506_0708)
  }

  @Test("are as many as the type has, and nil else", arguments: [[], [1], [1, 2, 3], [1, 2, 3, 4, 5]] as [[UInt8]])
  func areAsMany(bytes: [UInt8]) { #expect(UInt32(bigEndianBytes: bytes) == nil) }
}
