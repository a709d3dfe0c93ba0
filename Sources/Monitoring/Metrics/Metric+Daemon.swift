extension Metric {
  /// The metrics of begatd itself.
  static let daemon: [Metric] = [
    .report(.gauge, "begat_up", "Whether begatd answers: 1 if it does, 0 if not.") { report, samples in
      samples.add(report.daemon != nil)
    },
    .daemon(.gauge, "begat_build_info", "The version of begatd, as a label of the constant 1.") { daemon, samples in
      samples.add(1, ["version": daemon.version])
    },
    .daemon(.gauge, "begat_uptime_seconds", "The time since begatd started.") { daemon, samples in
      samples.add(daemon.age)
    },
    .daemon(.gauge, "begat_state", "1 for the state that begatd is in, 0 for the others.") { daemon, samples in
      samples.add(states: DaemonStatus.State.self, present: daemon.state)
    },
    .daemon(
      .counter, "begat_reloads_total", "Reloads by outcome; a refused one left the old configuration in force."
    ) { daemon, samples in
      samples.add(daemon.reloads.succeeded, ["outcome": "succeeded"])
      samples.add(daemon.reloads.refused, ["outcome": "refused"])
    },
    .daemon(
      .gauge, "begat_reload_last_successful",
      "Whether the last reload put its configuration in force: 0 if it was refused, 1 too if there was none."
    ) { daemon, samples in
      samples.add(daemon.reloads.lastSucceeded ?? true)
    },
    .daemon(
      .gauge, "begat_reload_last_age_seconds",
      "The time since the last reload, whether it succeeded or not; since the start if there was none."
    ) { daemon, samples in
      samples.add(daemon.reloads.lastAge ?? daemon.age)
    },
    .daemon(
      .gauge, "begat_configuration_age_seconds", "The time since the configuration in force was read."
    ) { daemon, samples in
      samples.add(daemon.reloadAge ?? daemon.age)
    },
    .daemon(
      .counter, "begat_log_messages_lost_total", "Messages of begatd that the log did not take in time."
    ) { daemon, samples in
      samples.add(daemon.lostLogMessages)
    },
    .report(.gauge, "begat_denied_networks", "Networks that begat deny keeps away now.") { report, samples in
      if report.daemon != nil { samples.add(report.denials.count + report.omittedDenials) }
    },
  ]
}
