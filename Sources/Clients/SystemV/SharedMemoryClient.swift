import Glibc
@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

/// `begat shm`: shared memory, for scripts.
public struct SharedMemoryClient: Sendable {
  public var name: SegmentName

  private static let command = CommandRun(command: "begat shm")

  public init(_ name: SegmentName) { self.name = name }

  /// Makes a segment of zeroed bytes and prints its identifier.
  ///
  /// - Parameter key: nil makes one that no key finds.
  /// - Returns: whether it made one.
  public static func create(_ key: KeyName?, size: Int, mode: mode_t) -> Bool {
    command.attempt(failure: false) {
      let segment = try SharedMemorySegment.create(try key?.key() ?? .private, size: size, mode: mode)
      do { try StandardStream.output.write("\(segment.identifier)\n") } catch {
        // No process has learned of it.
        try? segment.remove()
        throw error
      }
      return true
    }
  }

  /// Writes standard input to its end into the segment, and not one byte more; nothing where it does not fit.
  ///
  /// - Parameter isCounted: whether the number of bytes is written before them, for a reader that asks so.
  public func write(at offset: Int, isCounted: Bool) -> Bool {
    run {
      let memory = try name.segment().attach()
      let prefix = isCounted ? 4 : 0
      let room = memory.unsafeBytes.count - prefix
      guard offset <= room else { throw refusal(memory.segment, memory.unsafeBytes.count, "offset \(offset)") }
      let bytes = try readInput(atMost: room - offset + 1)
      guard bytes.count <= room - offset else {
        throw refusal(memory.segment, memory.unsafeBytes.count, "more than \(room - offset) bytes at \(offset)")
      }
      if isCounted { try memory.writeCounted(bytes, at: offset) } else { try memory.write(bytes, at: offset) }
      return true
    }
  }

  /// Writes bytes of the segment to standard output; to a terminal with all but text made visible.
  ///
  /// - Parameter count: nil is all that follows.
  public func read(at offset: Int, count: Int?) -> Bool {
    run {
      let memory = try name.segment().attach(.readOnly)
      let size = memory.unsafeBytes.count
      guard offset <= size, count ?? 0 <= size - offset else {
        throw refusal(memory.segment, size, "\(count.map { "\($0) bytes at" } ?? "offset") \(offset)")
      }
      let place = offset..<offset + (count ?? size - offset)
      try show(UnsafeRawBufferPointer(rebasing: memory.unsafeBytes[place]))
      return true
    }
  }

  /// Writes what `write` with a count wrote.
  public func readCounted(at offset: Int) -> Bool {
    run {
      let memory = try name.segment().attach(.readOnly)
      let bytes = try memory.readCounted(at: offset)
      try bytes.withUnsafeBytes { try show($0) }
      return true
    }
  }

  public func remove() -> Bool {
    run {
      try name.segment().remove()
      return true
    }
  }

  public func show(json: Bool) -> Bool {
    run {
      let segment = try name.segment()
      let report = SharedMemoryReport(segments: [(segment, try segment.metadata())])
      try StandardStream.output.write(json ? report.object : report.table)
      return true
    }
  }

  /// Prints all segments, other users' too.
  public static func list(json: Bool) -> Bool {
    command.attempt(failure: false) {
      let report = SharedMemoryReport(segments: try SharedMemorySegment.all())
      try StandardStream.output.write(json ? report.array : report.table)
      return true
    }
  }

  /// To the kernel, an identifier of no segment is an argument like any other wrong one.
  private func run(_ body: () throws -> Bool) -> Bool {
    Self.command.attempt(failure: false) {
      do { return try body() } catch let error as SystemCallError {
        let isGone = error.code == .invalidArgument || error.code == .identifierRemoved
        guard isGone, case .identifier(let identifier) = name else { throw error }
        throw Refusal(description: "there is no shared memory \(identifier)")
      }
    }
  }

  private func refusal(_ segment: SharedMemorySegment, _ size: Int, _ what: String) -> Refusal {
    Refusal(description: "shared memory \(segment.identifier) has \(size) bytes: \(what) do not fit")
  }

  private struct Refusal: Error, CustomStringConvertible {
    let description: String
  }

  private func readInput(atMost limit: Int) throws -> [UInt8] {
    let input = try StandardStream.input.duplicate()
    do { return try input.readPrefix(limit) } catch {
      throw SystemCallError("read", on: "standard input", code: error.code)
    }
  }

  private func show(_ bytes: UnsafeRawBufferPointer) throws(SystemCallError) {
    guard StandardStream.output.isTerminal else { return try StandardStream.output.write(bytes) }
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    try StandardStream.output.write(lines.map { escaped($0) }.joined(separator: "\n") + "\n")
  }
}
