import Admission
import Control
import Monitoring
import Settings

/// `begat top`: services above, connections below.
struct TopModel: ScreenModel {
  /// The use of the last line.
  enum Prompt: Hashable {
    case none
    case filter
    /// A question that `y` answers by a request.
    case confirm(String, ControlRequest)
  }

  /// Which of the tables the arrow keys move in.
  enum Focus {
    case services
    case connections
  }

  private(set) var status: StatusReport?
  private(set) var report = ConnectionReport([])
  /// Those that the filter admits, in order.
  private(set) var connections: [ConnectionStatus] = []
  var order: ConnectionOrder
  var isReversed = false
  /// As it was typed.
  var filterText = ""
  var prompt = Prompt.none
  var focus = Focus.connections
  var selectedService: String?
  var selectedConnection: ConnectionID?
  /// The result of the last order, or the reason for a missing answer.
  private(set) var note: String?
  /// Whether begatd has not answered.
  private(set) var isStale = false
  /// How the rows are laid out.
  var layout = TopLayout()
  private let base: ConnectionFilter
  private let service: String?

  /// - Parameter service: shows the connections of this one only.
  init(service: String? = nil, filter: ConnectionFilter = ConnectionFilter(), order: ConnectionOrder = .service) {
    self.service = service
    self.order = order
    base = filter
  }

  // MARK: begatd

  var questions: [ControlRequest] { [.status, .connections(service: service)] }

  mutating func take(_ answer: ControlAnswer, to request: ControlRequest) {
    if request.name.isQuestion, isStale { (isStale, note) = (false, nil) }
    switch answer {
    case .status(let report): status = report
    case .connections(let report):
      self.report = report
      arrange()
    case .order(let report): note = ([report.message] + report.problems).joined(separator: "; ")
    case .failure(let failure): note = ([failure.message] + failure.problems).joined(separator: "; ")
    case .reload: break
    }
  }

  mutating func take(_ failure: ControlClientError, to request: ControlRequest) {
    isStale = isStale || request.name.isQuestion
    note = failure.description
  }

  /// Filters and sorts again.
  mutating func arrange() {
    let filter = TopModel.filter(filterText, base)
    let admitted = filter.isEmpty ? report.connections : report.connections.filter(filter.admits)
    let place = selectedConnection.flatMap { id in connections.firstIndex { $0.id == id } }
    connections = order.sorted(admitted, isReversed: isReversed)
    guard let selected = selectedConnection, !connections.contains(where: { $0.id == selected }) else { return }
    // The one that was selected has ended: the next one is in its place.
    selectedConnection =
      connections.isEmpty ? nil : connections[min(place ?? 0, connections.count - 1)].id
  }

  /// Words: a network is a source, `>10m` an age, anything else a part of an id, a peer or a name.
  static func filter(_ text: String, _ base: ConnectionFilter) -> ConnectionFilter {
    var filter = base
    for word in text.split(separator: " ").map(String.init) {
      if word.contains("/") || word.contains("."), let network = try? IPNetwork(parsing: word) {
        filter.source = network
      } else if word.hasPrefix(">"), let age = DurationText.parse(String(word.dropFirst())) {
        filter.minimumAge = age
      } else {
        filter.words.append(word)
      }
    }
    return filter
  }

  mutating func say(_ text: String?) { note = text }
}
