import CPlatform
import Glibc

/// A process's command line as ps(1) shows it, rewritten in place.
///
/// The room is that of the original arguments and environment, which the kernel laid out one after the other, unless it
/// is moved; the environment is moved away when the title is first taken.  Single-threaded use only.
///
/// Source: proc_pid_cmdline(5).
@_spi(Begat) public struct ProcessTitle: ~Copyable {
  private let room: UnsafeMutableBufferPointer<UInt8>

  /// Takes the memory of the arguments over; nil when it is not one piece.  `CommandLine.arguments` must have been
  /// read before.
  ///
  /// - Parameter findRoom: returns another room, once nothing is needed any more that the original one contains; nil to
  ///   stay there.
  public init?(movingTo findRoom: () -> UnsafeMutableBufferPointer<UInt8>? = { nil }) {
    guard CommandLine.argc > 0, let first = CommandLine.unsafeArgv[0] else { return nil }
    var end = UnsafeMutablePointer<CChar>(first)
    for index in 0..<Int(CommandLine.argc) {
      guard let argument = CommandLine.unsafeArgv[index], argument == end else { return nil }
      end = argument + strlen(argument) + 1
    }
    var variables: [String] = []
    // None after clearenv(3).
    var entry = platform_environment()
    while let variable = entry?.pointee {
      if variable == end { end = variable + strlen(variable) + 1 }
      variables.append(String(cString: variable))
      entry? += 1
    }
    let copy = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: variables.count + 1)
    for (index, variable) in variables.enumerated() { copy[index] = strdup(variable) }
    copy[variables.count] = nil
    platform_set_environment(copy)

    let length = end - first
    guard length > 1 else { return nil }
    memset(first, 0, length)
    room =
      findRoom()
      ?? UnsafeMutableBufferPointer(
        start: UnsafeMutableRawPointer(first).assumingMemoryBound(to: UInt8.self), count: length)
  }

  /// Shows a text, cut to the room there is.
  ///
  /// - Parameter start: how many bytes of the present title stay before it.
  public func show(_ text: UnsafeRawBufferPointer, after start: Int = 0) {
    var position = min(start, room.count - 1)
    for byte in text where position < room.count - 1 {
      room[position] = byte
      position += 1
    }
    while position < room.count, room[position] != 0 {
      room[position] = 0
      position += 1
    }
  }

  /// Shows a text, cut to the room there is.
  public func show(_ text: String) {
    var text = text
    text.withUTF8 { show(UnsafeRawBufferPointer($0)) }
  }
}
