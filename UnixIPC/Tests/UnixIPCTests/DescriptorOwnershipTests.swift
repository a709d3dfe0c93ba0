import Glibc
import Testing

@_spi(Begat) @testable import UnixCore
@testable import UnixIPC

@Suite(.timeLimit(.minutes(30))) struct DescriptorOwnershipTests {
  @Test("adopts an open number, which becomes close-on-exec, and refuses a closed one")
  func adopts() throws {
    let number = try Descriptor.open("/dev/null", .readOnly).release()
    #expect(fcntl(number, F_SETFD, 0) == 0)
    let adopted = try Descriptor(adopting: number)
    #expect(fcntl(number, F_GETFD) == FD_CLOEXEC)
    #expect(adopted.number == number)
    for closed: CInt in [-1, 1 << 20] {
      let refused = failure { () throws(SystemCallError) in try Descriptor(adopting: closed) }
      #expect(refused == SystemCallError("fcntl", on: "descriptor \(closed)", code: .badFileDescriptor))
    }
  }

  @Test("is closed by closing it, which reports what was lost")
  func closes() throws {
    let ends = try PipeEnds()
    let reading = ends.readEnd
    let writing = ends.writeEnd
    try writing.close()
    let hasEnded = reading.wait(for: .readable, until: Deadline(after: .seconds(20)))
    #expect(hasEnded)
    try ProbeProgram.check("close-twice")
  }
}
