import ControlProtocol

extension LogKind {
  /// The journal's number for messages of this kind; `systemd/begat.catalog` explains them for `journalctl -x`.  Numbers
  /// are never changed.
  ///
  /// Source: systemd.journal-fields(7), MESSAGE_ID.
  var messageID: StaticString? {
    switch self {
    case .other: nil
    case .connectionOpened: "c7633851fd114d988a8c4ebe47b30958"
    case .connectionEnded: "b2f46d1c526f412b80fc1c59de7836b2"
    case .connectionFailed: "b4b53daa2dfd47a3904f69878cd72b2d"
    case .programLine: "f63442bd408a41e298ad9ed8279dc0ed"
    case .clientsRefused: "8b9a9d84a9ec42cfb24fe4b0b62e7f16"
    case .clientsWait: "9752be6911744ee8973f11d77f57b981"
    case .clientsCounted: "0bbf600a06e14283a8ad15965cc908c7"
    case .connectionsCounted: "1246bb57fd624144a624ed3c5194aa24"
    case .messagesLost: "4aa9d9491147478299a4719dbd5223d3"
    case .listenerEnded: "04e14134710f4cebbf4c1bcb3c94a09b"
    case .reloaded: "7e9e253ee28c4ddbb43e2ec89ef025ec"
    case .reloadRefused: "d42934d9cd6d466182f452fd736320de"
    case .stopping: "9e3b0952a7004e09a5a8b242fc348ea5"
    }
  }
}
