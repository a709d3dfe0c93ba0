import Testing
@_spi(Begat) import UnixCore
import UnixIPC

@Suite(.timeLimit(.minutes(30))) struct SharedMemoryMetadataTests {
  @Test("all segments are in the list, with their keys and facts, until they are removed")
  func listsAll() throws {
    let key = SystemVKey(rawValue: .random(in: 1 ... .max))
    let segment = try SharedMemorySegment.create(key, size: 777, mode: 0o640)
    defer { try? segment.remove() }
    let other = try SharedMemorySegment.create(size: 1)
    defer { try? other.remove() }
    let found = try SharedMemorySegment.all()
    let facts = try #require(found.first { $0.segment == segment }?.metadata)
    #expect(try facts == segment.metadata())
    #expect(facts.size == 777 && facts.ownership.key == key && facts.ownership.mode == 0o640)
    #expect(found.first { $0.segment == other }?.metadata.ownership.key == .private)
    #expect(Set(found.map(\.segment)).count == found.count)
    try segment.remove()
    #expect(try !SharedMemorySegment.all().contains { $0.segment == segment })
  }
}
