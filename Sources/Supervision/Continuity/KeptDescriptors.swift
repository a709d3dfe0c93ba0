import ControlProtocol
import Glibc
@_spi(Begat) import UnixCore

/// Descriptors that have outlived a begatd, by name, until the next one takes them; those that it does not take are closed.
final class KeptDescriptors {
  private var numbers: [String: CInt] = [:]
  /// The identity of each descriptor as it was passed, also after it was taken.
  private(set) var identities: [String: FileIdentity] = [:]

  init() {}

  deinit { close() }

  /// Closes all that was not taken.
  func close() {
    for number in numbers.values { _ = Descriptor(owning: number) }
    numbers = [:]
  }

  var isEmpty: Bool { numbers.isEmpty }

  /// The names of those that nothing has taken, in their order.
  var names: [String] { numbers.keys.sorted() }

  func has(_ name: KeptName) -> Bool { numbers[name.text] != nil }

  /// Adds a descriptor; of several with one name the last one counts.
  func add(_ descriptor: consuming Descriptor, named name: String) {
    let identity = FileIdentity(of: descriptor) ?? .unknown
    identities[name] = identities[name] == nil ? identity : .unknown
    guard let former = numbers.updateValue(descriptor.release(), forKey: name) else { return }
    _ = Descriptor(owning: former)
  }

  /// Hands a descriptor over; nil where there is none of this name.
  func take(_ name: KeptName) -> Descriptor? { take(name.text) }

  func take(_ name: String) -> Descriptor? { numbers.removeValue(forKey: name).map { Descriptor(owning: $0) } }

  /// The same for one that several owners keep.
  func takeShared(_ name: KeptName) -> SharedFile? {
    numbers.removeValue(forKey: name.text).map { SharedFile(Descriptor(owning: $0)) }
  }

  /// The state document of the highest number that can be read, and a line for each that cannot.
  func takeState() -> (state: SavedState?, problems: [String]) {
    var state: SavedState?
    var problems: [String] = []
    let versions = names.compactMap { name in KeptName.stateNumber(name).map { ($0, name) } }.sorted { $0.0 > $1.0 }
    for (number, name) in versions {
      guard let file = take(name), state == nil else { continue }
      do throws(SavedState.Problem) {
        state = try SavedState(reading: file)
        state?.number = number
      } catch { problems.append("\(name): \(error)") }
    }
    return (state, problems)
  }
}

/// The identity of an open file.
struct FileIdentity: Hashable {
  let device: UInt64
  let inode: UInt64

  /// No file's, or one of several files.
  static let unknown = FileIdentity(device: 0, inode: 0)

  private init(device: UInt64, inode: UInt64) {
    self.device = device
    self.inode = inode
  }

  /// Nil if fstat(2) fails.
  init?(of descriptor: borrowing Descriptor) {
    var status = stat()
    guard fstat(descriptor.number, &status) == 0 else { return nil }
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
  }
}
