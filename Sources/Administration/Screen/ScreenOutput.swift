@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

/// Draws lines on a terminal, and writes only those that have changed.
///
/// A terminal that takes nothing, because Ctrl-S stopped it or the network is slow, delays nothing here.
struct ScreenOutput: ~Copyable {
  /// The alternate screen, without a cursor.
  static let entering = "\u{1b}[?1049h\u{1b}[?25l\u{1b}[H\u{1b}[2J"
  static let leaving = "\u{1b}[0m\u{1b}[?25h\u{1b}[?1049l"

  let output: NonBlockingOutput
  private var shown: [ScreenLine] = []
  private var size = TerminalSize(columns: 0, rows: 0)
  private var waiting: [UInt8] = []
  private var written = 0

  init(_ output: consuming NonBlockingOutput) { self.output = output }

  /// Whether bytes wait for room.
  var isBusy: Bool { written < waiting.count }

  /// Forgets what the screen shows, after another program has had the terminal.
  mutating func forget() { size = TerminalSize(columns: 0, rows: 0) }

  /// Shows the lines, unless the terminal has not taken the former ones yet.
  ///
  /// - Throws: what write(2) does to a terminal that is gone.
  mutating func draw(_ lines: [ScreenLine], _ size: TerminalSize) throws(SystemCallError) {
    guard !isBusy else { return }
    waiting.removeAll(keepingCapacity: true)
    written = 0
    if size != self.size {
      waiting += "\u{1b}[0m\u{1b}[2J".utf8
      shown = []
      self.size = size
    }
    for row in 0..<Int(size.rows) {
      let line = row < lines.count ? lines[row] : ScreenLine()
      let before = row < shown.count ? shown[row] : ScreenLine()
      guard line != before else { continue }
      // Erased first: behind a line that fills the row, the cursor is still on its last character.
      waiting += "\u{1b}[\(row + 1);1H\u{1b}[K".utf8
      waiting += line.bytes(columns: Int(size.columns))
    }
    shown = lines
    try flush()
  }

  /// Writes what the terminal has room for.
  mutating func flush() throws(SystemCallError) {
    while isBusy {
      let rest = waiting[written...]
      let result = rest.withUnsafeBytes { bytes -> Result<Int, SystemCallError> in
        do throws(SystemCallError) { return .success(try output.write(bytes)) } catch { return .failure(error) }
      }
      switch result {
      case .success(let count): written += count
      case .failure(let error) where error.code == .wouldBlock || error.code == .interrupted: return
      case .failure(let error): throw SystemCallError("write", on: "the terminal", code: error.code)
      }
    }
  }
}
