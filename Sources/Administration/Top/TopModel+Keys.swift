import Control
import Monitoring
import Settings

extension TopModel {
  mutating func take(_ key: Key) -> ScreenStep {
    switch prompt {
    case .none: return command(key)
    case .filter: edit(key)
    case .confirm(_, let request):
      prompt = .none
      if key == .character("y") || key == .character("Y") { return .send(request) }
    }
    return .nothing
  }

  private mutating func command(_ key: Key) -> ScreenStep {
    if !isStale { say(nil) }
    switch key {
    case .character("q"): return .end
    case .character(" "): return .refresh
    case .character("/"), .character("f"): prompt = .filter
    case .character("s"): sort(by: order.next)
    case .character("r"):
      isReversed.toggle()
      arrange()
    case .character("k"): askToEnd()
    case .character("d"): askToDrain()
    case .tab: changeFocus()
    case .up: move(-1)
    case .down: move(1)
    case .pageUp: move(-max(1, layout.pageLength(focus) - 1))
    case .pageDown: move(max(1, layout.pageLength(focus) - 1))
    case .home: move(-.max / 2)
    case .end: move(.max / 2)
    case .escape: leave()
    default: break
    }
    return .nothing
  }

  private mutating func changeFocus() {
    focus = focus == .services ? .connections : .services
    if focus == .services, selectedService == nil { move(1) }
  }

  private mutating func sort(by order: ConnectionOrder) {
    self.order = order
    isReversed = false
    arrange()
  }

  /// Escape takes back one thing after the other.
  private mutating func leave() {
    if selectedConnection != nil || selectedService != nil {
      (selectedConnection, selectedService, focus) = (nil, nil, .connections)
    } else if !filterText.isEmpty {
      filterText = ""
      arrange()
    }
  }

  private mutating func edit(_ key: Key) {
    switch key {
    case .enter: prompt = .none
    case .escape:
      prompt = .none
      filterText = ""
    case .backspace: if !filterText.isEmpty { filterText.removeLast() }
    case .control("u"): filterText = ""
    case .character(let character): if filterText.utf8.count < 200 { filterText.append(character) }
    default: break
    }
    arrange()
  }

  private mutating func move(_ count: Int) {
    switch focus {
    case .services:
      guard let services = status?.services, !services.isEmpty else { return }
      let place = services.firstIndex { $0.name == selectedService }
      selectedService = services[TopModel.moved(place, count, services.count)].name
    case .connections:
      guard !connections.isEmpty else { return }
      let place = connections.firstIndex { $0.id == selectedConnection }
      selectedConnection = connections[TopModel.moved(place, count, connections.count)].id
    }
  }

  /// The first key selects a row at the near end.
  private static func moved(_ place: Int?, _ count: Int, _ rows: Int) -> Int {
    guard let place else { return count > rows ? rows - 1 : 0 }
    return max(0, min(rows - 1, place + count))
  }

  private mutating func askToEnd() {
    guard focus == .connections, let id = selectedConnection,
      let connection = connections.first(where: { $0.id == id })
    else {
      say("choose a connection by the arrow keys first" + (focus == .services ? "; Tab goes to them" : ""))
      return
    }
    let peer = printableCell(ConnectionTable.peer(connection))
    prompt = .confirm("end (y/n)? \(id) of \(peer)", .end(.listed([.id(id)])))
  }

  private mutating func askToDrain() {
    let name =
      focus == .services
      ? selectedService : connections.first { $0.id == selectedConnection }?.id.service ?? selectedService
    guard let name, let service = status?.services.first(where: { $0.name == name }) else {
      say("choose a service by Tab and the arrow keys first")
      return
    }
    switch service.state {
    case .announcing, .draining, .drained:
      prompt = .confirm("resume (y/n)? \(name)", .resume(.named([name])))
    case .starting, .serving, .failed:
      prompt = .confirm("drain (y/n)? \(name) then accepts no more clients", .drain(.named([name]), wait: .none))
    }
  }
}
