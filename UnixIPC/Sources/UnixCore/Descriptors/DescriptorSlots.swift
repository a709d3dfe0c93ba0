/// Places, each for one descriptor or none; the descriptors are closed with this value.
///
/// The memory is this value's own, so that any one thread may have it.
struct DescriptorSlots: ~Copyable, @unchecked Sendable {
  private var places: UnsafeMutableBufferPointer<Descriptor?>

  init(count: Int) {
    places = .allocate(capacity: count)
    for index in places.indices { places.initializeElement(at: index, to: nil) }
  }

  deinit {
    places.deinitialize()
    places.deallocate()
  }

  var count: Int { places.count }

  /// Adds empty places until there are so many.
  mutating func grow(to count: Int) {
    guard count > places.count else { return }
    let more = UnsafeMutableBufferPointer<Descriptor?>.allocate(capacity: count)
    _ = more.moveInitialize(fromContentsOf: places)
    for index in places.count..<count { more.initializeElement(at: index, to: nil) }
    places.deallocate()
    places = more
  }

  /// The number of the descriptor in a place; -1 where there is none.
  func number(at index: Int) -> CInt {
    switch places[index] {
    case .some(let descriptor): descriptor.number
    case .none: -1
    }
  }

  /// Closes what was in the place.
  mutating func put(_ descriptor: consuming Descriptor, at index: Int) { places[index] = consume descriptor }

  mutating func take(at index: Int) -> Descriptor? { places[index].take() }

  mutating func close(at index: Int) { places[index] = nil }
}
