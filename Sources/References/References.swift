import Settings

/// The files of the repository that are made from the keys of the settings.
public enum References {
  /// By their paths in the repository.
  public static var files: [(path: String, text: String)] {
    [
      ("etc/begatd.toml", AnnotatedConfiguration.text),
      ("man/begatd.toml.5", ConfigurationManual.text),
    ]
  }
}

extension Key {
  /// Whether the default says something: an empty list or table does not.
  var hasShownDefault: Bool {
    switch value(in: Table()) {
    case nil, .list([]), .table([]): false
    default: true
    }
  }

  /// The default or, where that says nothing, an example.
  var shownValue: RawValue { hasShownDefault ? value(in: Table()) ?? example : example }
}
