public let placeholderAdministration = 1
