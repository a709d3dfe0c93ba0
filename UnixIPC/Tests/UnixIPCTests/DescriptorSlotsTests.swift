import Glibc
import Testing

@_spi(Begat) @testable import UnixCore
@testable import UnixIPC

@Suite(.timeLimit(.minutes(30))) struct DescriptorSlotsTests {
  @Test("keep, hand over and close")
  func keep() throws {
    let pipe = try PipeEnds()
    let reading = pipe.readEnd
    do {
      var slots = DescriptorSlots(count: 3)
      slots.put(pipe.writeEnd, at: 1)
      let numbers = (0..<slots.count).map { slots.number(at: $0) }
      #expect(numbers[0] == -1 && numbers[1] >= 0 && numbers[2] == -1)
      let duplicate = try slots.take(at: 1)?.duplicate()
      let isTaken = slots.number(at: 1) == -1
      #expect(isTaken && duplicate != nil)
      if let duplicate { slots.put(duplicate, at: 2) }
      let isNotYet = reading.wait(for: .readable, until: .immediate)
      slots.close(at: 0)
      #expect(!isNotYet)
    }
    // The last writer was closed with its place.
    let hasEnded = reading.wait(for: .readable, until: Deadline(after: .milliseconds(20_000)))
    #expect(hasEnded)
  }

  @Test("keep what they have when they grow")
  func grow() throws {
    let pipe = try PipeEnds()
    let reading = pipe.readEnd
    do {
      var slots = DescriptorSlots(count: 0)
      slots.grow(to: 1)
      slots.put(pipe.writeEnd, at: 0)
      let before = slots.number(at: 0)
      slots.grow(to: 40)
      slots.grow(to: 2)
      let after = (0..<slots.count).map { slots.number(at: $0) }
      #expect(after == [before] + Array(repeating: -1, count: 39))
      let isStillOpen = !reading.wait(for: .readable, until: .immediate)
      #expect(isStillOpen)
    }
    let hasEnded = reading.wait(for: .readable, until: Deadline(after: .milliseconds(20_000)))
    #expect(hasEnded)
  }
}
