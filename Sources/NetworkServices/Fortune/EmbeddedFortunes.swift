/// The project's own collection, served where a machine has no fortune databases.
///
/// The text is in strfile(8)'s form: entries separated by a line that is exactly `%`, ASCII only,
/// lines at most 76 columns.
enum EmbeddedFortunes {
  static let text: StaticString = #"""
    A parent who never waits will be followed everywhere by its zombies.
    %
    Read the whole log before you believe the last line of it.
    %
    "Is the server down?"
    "No. It is thinking."
    "What about?"
    "Swap."
    %
    Careful engineer, n.: one who checks the return value of close().
    %
    A pipe remembers nothing, which is why it can be trusted with so much.
    %
    Three in the morning.
    The pager and the kettle
    agree on a pitch.
    %
    Riddle: I am called once and come back twice, and neither answer is wrong.
    Answer: fork.
    %
    Do not name a host after a joke you would not care to explain to an auditor.
    %
    The cat has found the warm end of the rack.
    Monitoring reports one new node, uptime nine hours, no open ports.
    %
    When you tell a user what went wrong, spend one more sentence on what to
    try next. It is the sentence they will remember.
    %
    Zero, one and two were here before you arrived. Leave them as you found
    them.
    %
    Rain on the data centre roof: the only packets tonight we need not count.
    %
    Timeout, n.: the moment at which optimism becomes policy.
    %
    Every clock in the building is wrong. The good ones know by how much.
    %
    Bread and batch jobs both prefer that you stop opening the door to look.
    %
    "Which process is holding the port?"
    "The one I started to find out."
    %
    A daemon with good manners closes what it opened, logs what it refused, and
    says goodbye before it goes.
    %
    If the fix is one character long, write the commit message twice as
    carefully.
    %
    Packing for a journey is garbage collection with a deadline.
    %
    Answer the small connection as politely as the large one. They are both
    waiting on the same kind of wire.
    %
    The bug you cannot reproduce is reproducing without you.
    %
    Riddle: I was sent to end you, and you were not allowed to hear me coming.
    Answer: signal nine.
    %
    Leave the comment that you searched for and did not find.
    %
    Snow at the window.
    The log rotates at midnight,
    white page after white.
    %
    A buffer is a promise to deal with something later. Flush your promises.
    %
    Somebody will one day read your error message at the worst hour of their
    week. Write it for that person.
    %
    Backup, n.: a rumour, until restored.
    %
    "How long has it been broken?"
    "Since we began measuring."
    "And before that?"
    "Perfect."
    %
    Plant beans after the last frost; plant migrations before the weekend, but
    not the day before it.
    %
    A socket left in TIME_WAIT is only making sure the guest got home.
    %
    The manual was right. It had been right for years, quietly, on the shelf.
    %
    A gardener and an operator met at dawn. Each said, "Something ate it in the
    night," and each went to look for tracks.
    %
    Prefer the word that is true to the word that is impressive. It will need
    less maintenance.
    %
    Never let a process run as root merely because it was in a hurry.
    %
    The cat sits on the keyboard because it is the only key ring she can find.
    %
    Orphan, n.: a process whose parent left early. It is adopted at once, and
    asked no questions. Number one is kinder than its reputation.
    %
    Leap second:
    the whole world holds its breath,
    then logs it twice.
    %
    When two clocks disagree, ask a third. When three disagree, ask four. When
    you own four clocks, you are a time server, and must behave accordingly.
    %
    Riddle: The more of me you take, the fewer remain, and nobody counts until
    the last is gone.
    Answer: file descriptors.
    %
    Good defaults are a form of hospitality. The guest should not have to find
    the light switch.
    %
    An empty log may be contentment, or it may be a full disk.
    %
    "What does this service do?"
    "It discards everything it is sent."
    "And is it reliable?"
    "We have never had a complaint reach us."
    %
    A warm loaf, a quiet queue, a cat asleep on the change request: ship
    nothing.
    %
    Write the test while you can still remember how you were fooled.
    %
    Patience, n.: exponential backoff, with jitter.
    %
    The wise traveller carries a spare cable and pretends to have forgotten it
    until somebody asks.
    %
    A well-known port is a front door. Do not be surprised when people knock.
    %
    You may interrupt a sleeping process, but have a reason ready.
    %
    There is a kind of courage in replying "I do not know" before the second
    paragraph.
    %
    SIGHUP once meant that the caller had gone. Now it means that the caller has
    changed its mind. Listen either way.
    %
    Nobody thanks the resolver on the days it resolves.
    %
    Fog on the harbour.
    Somewhere a broadcast is sent,
    and no one answers.
    %
    If you must guess, guess in a branch.
    %
    Half of diagnosis is refusing to be told the answer too early.
    %
    Uptime is a fine thing to admire and a poor thing to protect. Reboot while
    it is still your own idea.
    %
    "Would a restart help?"
    "It seems to think so. It has tried eleven since midnight."
    %
    Label both ends of the cable. The far end is where you will be standing.
    %
    Dough and daemons go into the background to rise. Set a timer for each.
    %
    A race condition is two careful people at one narrow gate, each saying
    "after you" and each going first.
    %
    Exit status, n.: last words, in eight bits or fewer.
    %
    The user who reports a bug twice has done you two favours.
    %
    Choose names that survive being read aloud over a bad telephone line.
    %
    Listen on one address until you have a reason to listen on all of them.
    %
    In the crontab, a line marked "remove after Tuesday". It does not say which
    Tuesday. Nobody now living dares to choose one.
    %
    Riddle: I have two ends and no middle, and whatever you whisper at one is
    heard in order at the other.
    Answer: a pipe.
    %
    The cat regards every closed door as a misconfigured firewall.
    %
    Before you optimise it, make sure that somebody calls it.
    %
    The old machine hums.
    I lower my voice passing.
    It has earned its rest.
    %
    To speak exactly is a courtesy. To speak exactly and briefly is a gift.
    %
    An umbrella is tested in the rain. So is a failover. Do choose a light rain.
    %
    Broken pipe, n.: what you hear when you go on talking after they have left.
    %
    "Why is the graph flat?"
    "Either nothing happened, or the thing that draws it did."
    %
    A server that does one thing can be understood on one page. Keep the page.
    %
    Time zones were invented so that every meeting could be inconvenient for
    someone you have never met. Be kind to that person.
    %
    It is seldom the cosmic ray.
    %
    Prune in winter, when you can see the branches. Delete code in a quiet week,
    for the same reason.
    %
    Treat each byte from the network as you would a mushroom from the woods:
    with interest, with a good book, and not yet in your mouth.
    %
    When the child exits, collect its status, even if you know what it will say.
    %
    The second operator reads what the first operator wrote. At four in the
    morning they are often the same person, and no better informed.
    %
    Accept, fork, close, and go back to the door. There is dignity in a short
    loop.
    %
    "Are you the process I forked?"
    "I was. Then I called exec."
    "You look different."
    "I kept your file descriptors."
    %
    A short read is not an error. It is the kernel being honest about how much
    it had in the cupboard.
    %
    Night shift: the only garden where the weeds send mail.
    %
    If the runbook says "simply", add an hour.
    %
    The tide tables never apologise and are never late. Aim for that in cron.
    %
    Echo, n.: the one service that has always agreed with you.
    %
    Your future colleagues are reading over your shoulder. Sit so that they can
    see the screen.
    %
    A lock held across a network call is a door held open for a guest who may
    not have set out yet.
    %
    Do the boring thing beautifully, and no one will need to know your name.
    %
    Moon on the cold aisle.
    One amber light is blinking.
    I write down the slot.
    %
    Permission denied, n.: the kernel remembering an instruction that you forgot
    giving.
    %
    The best day to learn the restore procedure was a dull one. See whether
    today is dull.
    %
    A clock that is stepped backward makes liars of every log that trusted it.
    Slew gently.
    %
    Riddle: I am read by all, written by none, and empty however long you look.
    Answer: /dev/null. (Very well: it is written by everyone. It forgets.)
    %
    Between "it works" and "it works, and I know why" lies most of the job.
    %
    The cat does not poll the food bowl. She blocks, loudly.
    %
    Say which file, which line and which value. Then say please.
    %
    One traveller asks the way and is told. Another asks the way and is asked
    where he hopes to go. The second town has the better help desk.
    %
    Idle processes are not lazy. They are ready.
    %
    Check the disk. Check the clock. Check the name server. Now you may begin to
    suspect something interesting.
    %
    "It worked on my machine."
    "Then we shall all come round to your house."
    %
    Sourdough is a long-running process with no supervisor but you. Feed it, and
    do not ask for its uptime.
    %
    Reserve a little disk for the day when the disk is full. You will want to
    write a note.
    %
    Backlog, n.: the chairs in the waiting room. More chairs do not make more
    doctors.
    %
    Silence the alarm only after you have thanked it.
    %
    A careless word in a specification is a stone in a shoe that a thousand
    people will wear.
    %
    First light on the hill.
    The nightly job is finished.
    Neither made a sound.
    %
    The signal handler should do as a good night porter does: note the caller,
    ring nothing, and let the day staff deal with it.
    %
    Never be too proud to print the variable.
    %
    Measure the queue before you hire another worker for it.
    %
    A pleasant thing about text protocols: when all the tools have failed, you
    can still type.
    %
    "When will the job be done?"
    "It is ninety-nine per cent complete."
    "When was that?"
    "Monday."
    %
    Umask, n.: what you decline to give away before anyone has asked.
    %
    Every path that begins with a temporary directory ends with a visitor you
    did not expect. Create your files as though someone were watching.
    %
    When a peer sends nonsense, answer with sense and close the door softly.
    %
    The weather service was unreachable, so we looked out of the window. Latency
    was excellent.
    %
    Two kinds of tomato: those you staked in time, and those you now step over.
    Two kinds of capacity plan.
    %
    Somewhere a machine you set up years ago is still doing precisely what you
    told it. Write kindly to your machines.
    %
    A limit nobody chose is still a limit. Better to choose it.
    %
    Riddle: My work is done and my memory returned, yet I stay on the list until
    my parent asks how it went.
    Answer: a zombie.
    %
    Simplicity arrives late, takes off its coat, and asks why there are so many
    chairs.
    %
    Do not parse what you can ask for plainly.
    %
    Wind in the antenna.
    The time signal comes and goes.
    The oven clock blinks.
    %
    The person at the next desk is a debugger with a kettle. Explain it to them.
    %
    If it can be configured, somebody has configured it the other way.
    %
    Loopback, n.: the road that leads home without ever going out. Safest of all
    journeys, and the least scenic.
    %
    Trains teach patience, ferries teach humility, and airport networks teach
    offline documentation.
    %
    Drop your privileges as you would a hot pan: early, on purpose, and in the
    order you practised.
    %
    A message with no date on it is a letter from nowhere.
    %
    "What is the cat doing in the server room?"
    "Access review."
    %
    Ask what changed. When they say that nothing did, ask what changed
    yesterday.
    %
    The quick patch and the careful patch start from the same line. One of them
    arrives.
    %
    A good protocol lets either side leave without slamming anything.
    %
    Keep one terminal open until you have proved that you can open another.
    %
    The garden does not know that it is Friday. Neither does the disk.
    %
    Ephemeral port, n.: a room for one night. Leave the key at the desk.
    %
    We asked the daytime service for the time, and it told us kindly, in a
    format of its own devising. We thanked it and asked a human.
    %
    You cannot hurry a cat, a glacier or a filesystem check.
    %
    Sort the evidence before you sort the blame. Often you can stop after the
    first.
    %
    Late bus, empty road.
    The driver knows each lamp post.
    Keepalive, all night.
    %
    The kernel owes you nothing, and writes to tell you so: see errno.
    %
    The proper length for a status update is the time it takes to drink half a
    cup of tea.
    %
    A retry without a limit is a knock that becomes a siege.
    %
    Write small programs. They fit in the head, and the head is where most of
    the outages are solved.
    %
    "May I have a larger buffer?"
    "What will you keep in it?"
    "The data I am not yet reading."
    "Then may I suggest reading?"
    %
    Trust the checksum over the progress bar.
    %
    Teach the newcomer where the fuse box is before you teach them the
    shortcuts.
    %
    Riddle: All my neighbours know my number, yet I was never given a name until
    someone wrote it in /etc/services.
    Answer: a port.
    %
    Kneading is what you do when the documentation says "until smooth" and will
    not say how long.
    %
    Graceful shutdown, n.: finishing your sentence, then putting on your hat.
    %
    The most useful monitoring question is an old one: would anybody mind?
    %
    An assertion is a note to yourself, pinned where you will certainly trip
    on it.
    %
    The frost came early.
    One pot was still left outside.
    I had made a list.
    %
    Be precise about units. A cup, a second and a megabyte have each ruined
    somebody's evening.
    %
    A supervisor that restarts a failing service every second has mistaken
    persistence for care.
    %
    Some nights nothing happens at all. Write that down too; it is the baseline.
    %
    The child inherits the signal mask, the open files and the working
    directory. Tidy up before you fork.
    %
    Nobody reads the banner until it is wrong.
    %
    If you would hide the flag from your users, consider hiding it from
    yourself.
    %
    A map folded by a stranger, a config merged by a script: both open again,
    but never along the same lines.
    %
    Three cats, two laps. The scheduler was praised by some.
    %
    Connection closed by peer. Perhaps there was bread in the oven.
    %
    When you leave a machine, leave it so that the next person thinks well of
    you and does not know why.
    %
    That is all there is. The server will close the connection now, and mean
    nothing by it.
    """#
}
