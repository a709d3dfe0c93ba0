import Glibc
import NetworkServices
@_spi(Begat) import UnixCore

/// One direction of a connection: takes bytes from a source and gives them to a sink, in the cheapest way that the two
/// allow, and never waits for either.
///
/// Pipes and sockets are joined in the kernel by splice(2), a file is sent by sendfile(2), and all else is copied.
struct Passage: ~Copyable {
  enum State {
    case awaitsSource
    case awaitsSink
    case hasEnded
  }

  /// Which end failed, and how.
  struct Failure: Error {
    let isOfSink: Bool
    let code: ErrorCode
  }

  private enum Way {
    case splice
    case sendFile
    case copy
  }

  private(set) var state = State.awaitsSource
  private var way: Way
  private var flow: ByteFlow
  private var lineEnds: LineEnds?
  private var hasMoved = false

  /// - Parameter changesLineEnds: whether line ends become CR LF.
  init(from source: borrowing Descriptor, to sink: borrowing NonBlockingOutput, changesLineEnds: Bool = false) {
    way = changesLineEnds ? .copy : Self.cheapestWay(from: source, to: sink)
    if way == .splice {
      // Fewer turns of the processes at both ends; without it they are as many as ever.
      if sink.fileKind == .fifo {
        try? sink.descriptor.setPipeCapacity(Self.most)
      } else {
        try? source.setPipeCapacity(Self.most)
      }
    }
    flow = ByteFlow(capacity: 1 << 17)
    lineEnds = changesLineEnds ? LineEnds() : nil
  }

  private static func cheapestWay(from source: borrowing Descriptor, to sink: borrowing NonBlockingOutput) -> Way {
    let kinds = (try? FileKind(of: source), sink.fileKind)
    return switch kinds {
    case (.fifo, .socket), (.socket, .fifo): .splice
    case (.regular, .socket): .sendFile
    default: .copy
    }
  }

  /// Nothing more is taken, and what was not given yet is dropped.
  mutating func abandon() {
    flow.abandon()
    state = .hasEnded
  }

  /// Moves what there is and goes, and tells by `state` what to wait for.
  mutating func move(from source: borrowing Descriptor, to sink: borrowing NonBlockingOutput) throws(Failure) {
    // The other direction comes to its turn as well.
    for _ in 0..<16 {
      if state == .hasEnded { return }
      let isMoving =
        switch way {
        case .copy: try copy(from: source, to: sink)
        case .splice, .sendFile: try transfer(from: source, to: sink)
        }
      if !isMoving { return }
    }
  }

  /// - Returns: whether more may follow immediately.
  private mutating func transfer(from source: borrowing Descriptor, to sink: borrowing NonBlockingOutput)
    throws(Failure)
    -> Bool
  {
    let count: Int
    do throws(SystemCallError) {
      count =
        way == .splice
        ? try source.spliceRaw(to: sink.descriptor, atMost: Self.most)
        : try source.sendFileRaw(to: sink.descriptor, atMost: Self.most)
    } catch {
      switch error.code {
      case .wouldBlock:
        state = way == .splice && !source.wait(for: .readable, until: .immediate) ? .awaitsSource : .awaitsSink
        return false
      case .invalidArgument where !hasMoved:
        way = .copy
        return true
      default: throw Failure(isOfSink: isOfSink(error.code, sink), code: error.code)
      }
    }
    hasMoved = true
    state = count == 0 ? .hasEnded : .awaitsSource
    return true
  }

  /// One call works on both ends: a pipe has one error only, a file those of its device, and the rest is the socket's.
  private func isOfSink(_ error: ErrorCode, _ sink: borrowing NonBlockingOutput) -> Bool {
    if way == .sendFile { return error != ErrorCode.ioError }
    return sink.fileKind == .socket || error == .brokenPipe
  }

  /// - Returns: false; another read could wait.
  private mutating func copy(from source: borrowing Descriptor, to sink: borrowing NonBlockingOutput) throws(Failure)
    -> Bool
  {
    do throws(SystemCallError) { try fill(from: source) } catch { throw Failure(isOfSink: false, code: error.code) }
    do throws(SystemCallError) {
      try flow.drain { (bytes) throws(SystemCallError) in try sink.write(bytes) }
    } catch { throw Failure(isOfSink: true, code: error.code) }
    state = !flow.isEmpty ? .awaitsSink : flow.hasEnded ? .hasEnded : .awaitsSource
    return false
  }

  private mutating func fill(from source: borrowing Descriptor) throws(SystemCallError) {
    guard state == .awaitsSource else { return }
    guard var ends = lineEnds else {
      return try flow.fill { (buffer) throws(SystemCallError) in try source.read(into: buffer) }
    }
    try flow.fill { (buffer) throws(SystemCallError) in
      let upperHalf = UnsafeMutableRawBufferPointer(rebasing: buffer[((buffer.count + 1) / 2)...])
      let count = try source.read(into: upperHalf)
      return ends.expand(UnsafeRawBufferPointer(rebasing: upperHalf[..<count]), into: buffer)
    }
    lineEnds = ends
  }

  /// Of one call.
  private static let most = 1 << 20
}
