import Glibc
import Testing

@_spi(Begat) @testable import UnixCore
@testable import UnixIPC

@Suite(.timeLimit(.minutes(30))) struct DescriptorListTests {
  private func isOpen(_ number: CInt) -> Bool { fcntl(number, F_GETFD) != -1 }

  @Test("keeps the order, and closes what nobody takes")
  func order() throws {
    let pipe = try PipeEnds()
    let reading = pipe.readEnd
    let writing = pipe.writeEnd
    do {
      var list = DescriptorList()
      let isEmptyAtFirst = list.isEmpty
      try list.append(duplicateOf: writing)
      try list.append(duplicateOf: reading)
      list.append(writing)
      let numbers = Array(list.descriptorNumbers)
      let lent = list.withDescriptor(at: 1) { $0.number }
      #expect(isEmptyAtFirst && numbers.count == 3 && lent == numbers[1])
      let isSecond = list.take(at: 1).number == numbers[1]
      #expect(isSecond)
      let isFirst = list.takeFirst()?.number == numbers[0]
      #expect(isFirst)
      let left = Array(list.descriptorNumbers)
      #expect(left == [numbers[2]])
      let isWaiting = !reading.wait(for: .readable, until: .immediate)
      #expect(isWaiting, "a writing end was closed while it was in the list or taken")
    }
    let hasEnded = reading.wait(for: .readable, until: Deadline(after: .seconds(20)))
    #expect(hasEnded, "a writing end is left open")
  }

  @Test("has nothing more to hand over when it is empty")
  func empties() throws {
    var list = DescriptorList(try Descriptor.open("/dev/null", .readOnly))
    let first = list.takeFirst() != nil
    let second = list.takeFirst() != nil
    let count = list.count
    #expect(first && !second && count == 0)
  }

  @Test("hands its numbers over, still open")
  func releases() throws {
    var list = DescriptorList(try Descriptor.open("/dev/null", .readOnly))
    list.append(try Descriptor.open("/dev/null", .readOnly))
    _ = list.takeFirst()
    let numbers = list.release()
    #expect(numbers.count == 1 && numbers.allSatisfy(isOpen))
    let owned = DescriptorList(owning: numbers)
    let count = owned.count
    #expect(count == 1)
  }
}
