import Glibc
import Testing
@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

@Suite(.timeLimit(.minutes(30))) struct SharedMemoryAttachmentTests {
  private let message = Array("Message #1".utf8)

  @Test("holds ten bytes where ten were written, and what was there behind them")
  func holdsWhatWasWritten() throws {
    let memory = try SharedMemorySegment.createAttached(size: 2000)
    memory.unsafeBytes.initializeMemory(as: UInt8.self, repeating: 0xff)
    try memory.write(message)
    #expect(try memory.read(10) == message)
    #expect(try memory.read(2, at: 9) == [0x31, 0xff])
    try memory.writeCounted(message, at: 100)
    #expect(try memory.readCounted(at: 100) == message)
    try memory.write("Text", at: 50)
    try memory.writeCounted("Grüße", at: 200)
    #expect(try memory.read(4, at: 50) == Array("Text".utf8))
    #expect(try memory.readCounted(at: 200) == Array("Grüße".utf8))
    try memory.writeCounted([], at: 100)
    #expect(try memory.readCounted(at: 100) == [])
  }

  @Test("takes nothing that does not fit, and no number of bytes that cannot be")
  func refusesWhatDoesNotFit() throws {
    let memory = try SharedMemorySegment.createAttached(size: 20)
    try memory.write(message, at: 10)
    for offset in [-1, 11, 21, .max, .min] {
      let writing = failure { () throws(SystemCallError) in try memory.write(message, at: offset) }
      #expect(writing?.code.rawValue == ERANGE, "\(offset)")
      #expect(failure { () throws(SystemCallError) in try memory.read(10, at: offset) } != nil, "\(offset)")
    }
    #expect(failure { () throws(SystemCallError) in try memory.read(-1) } != nil)
    memory.unsafeBytes.storeBytes(of: UInt32.max, as: UInt32.self)
    #expect(failure { () throws(SystemCallError) in try memory.readCounted() }?.code.rawValue == ERANGE)
    #expect(failure { () throws(SystemCallError) in try memory.readCounted(at: 17) }?.code.rawValue == ERANGE)
    #expect(try memory.read(10, at: 10) == message)
  }

  @Test("that is for reading is not written")
  func isNotWritten() throws {
    let memory = try SharedMemorySegment.createAttached(size: 20)
    try memory.write(message)
    let reader = try memory.segment.attach(.readOnly)
    #expect(try reader.read(10) == message)
    let failed = failure { () throws(SystemCallError) in try reader.write([1]) }
    #expect(failed?.code == .permissionDenied)
    #expect(try memory.read(10) == message)
  }

  @Test("is read by Perl's shmread and written by its shmwrite")
  func isPerlsToo() throws {
    let memory = try SharedMemorySegment.createAttached(size: 2000)
    let number = String(memory.segment.identifier)
    try memory.writeCounted(message, at: 8)
    let read = try Tool.perl("shmread($ARGV[0], $b, 8, 60) or die $!; print unpack('L/a*', $b)", number).run()
    #expect(read == "Message #1")
    _ = try Tool.perl("shmwrite($ARGV[0], 'from Perl', 500, 9) or die $!", number).run()
    #expect(try memory.read(9, at: 500) == Array("from Perl".utf8))
    _ = try Tool.perl("$t = pack('L/a*', 'grüß'); shmwrite($ARGV[0], $t, 0, length $t) or die $!", number).run()
    #expect(try memory.readCounted() == Array("grüß".utf8))
  }
}
