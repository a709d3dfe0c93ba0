import Control
import Settings
import UnixIPC

/// `--watch` on a terminal: the output of a command, drawn anew.
struct WatchModel: ScreenModel {
  private let request: ControlRequest
  private let view: ControlView
  private let command: String
  private let interval: Duration
  private var answer: ControlAnswer?
  private var note: String?
  /// The first line that is shown.
  private var top = 0
  private var pageLength = 1

  init(_ request: ControlRequest, _ view: ControlView, command: String, interval: Duration) {
    self.request = request
    self.view = view
    self.command = command
    self.interval = interval
  }

  var questions: [ControlRequest] { [request] }

  mutating func take(_ answer: ControlAnswer, to request: ControlRequest) {
    self.answer = answer
    note = nil
  }

  mutating func take(_ failure: ControlClientError, to request: ControlRequest) { note = failure.description }

  mutating func take(_ key: Key) -> ScreenStep {
    switch key {
    case .character("q"): return .end
    case .character(" "): return .refresh
    case .down, .character("j"): top += 1
    case .up, .character("k"): top -= 1
    case .pageDown: top += pageLength
    case .pageUp: top -= pageLength
    case .home: top = 0
    case .end: top = .max - pageLength
    default: break
    }
    return .nothing
  }

  mutating func lines(_ size: TerminalSize) -> [ScreenLine] {
    let (columns, rows) = (Int(size.columns), Int(size.rows))
    pageLength = max(1, rows - 1)
    var texts: [String] = []
    var problem = note
    if let answer {
      let output = ControlOutput(answer, command: command, view: view, width: columns)
      texts = output.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      if texts.last == "" { texts.removeLast() }
      problem = problem ?? output.complaints.last
    }
    top = max(0, min(top, texts.count - pageLength))
    var lines = texts.dropFirst(top).prefix(pageLength).map { ScreenLine($0) }
    while lines.count < pageLength { lines.append(ScreenLine()) }
    let hidden = texts.count - pageLength
    let place = hidden > 0 ? "  lines \(top + 1) to \(min(texts.count, top + pageLength)) of \(texts.count)" : ""
    let status = problem ?? "\(command), every \(DurationText.render(interval))\(place)  q quits"
    lines.append(ScreenLine(status, .reversed))
    return lines
  }
}
