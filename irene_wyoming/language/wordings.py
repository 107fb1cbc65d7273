"""How people word commands to a home in English, in hassil's template notation.

Home Assistant's own templates accept far more than people say (a bare name, ``bring our lamps on throughout the
flat``); each such way may be mistaken for a noise or another sentence. So these are the plain ways to say things. Home
Assistant's full set understands all of them, as a test checks.

``{lights}`` and ``{the}`` are said and not written: the hub only knows "set the kitchen to blue", "set fan speed to 9".

In a template ``{name.light}`` is an entity that may be a light, ``{name.onoff}`` one that can be switched. Lists of
numbers hold their unit: ``{brightness}`` is said "fifty percent" or "fifty".
"""

COMMANDS = (
    # Lights of a room
    "<turn> (on|off) [<the>] {area} (light|lights)",
    "<turn> [<the>] {area} (light|lights) (on|off)",
    "<turn> (on|off) [<the>] (light|lights) [in [<the>] {area}]",
    "<turn> [<the>] (light|lights) (on|off)",
    "<turn> [<the>] (light|lights) in [<the>] {area} (on|off)",
    "<turn> off (every light|all [[of] <the>] lights) [in [<the>] {area}]",
    "<turn> on all [[of] <the>] lights in [<the>] {area}",
    "<turn> all [<the>] lights off [everywhere]",
    "<turn> off all [<the>] lights everywhere",
    "<turn> off [<the>] lights everywhere",
    "<turn> (on|off) [all] [<the>] {floor} lights",
    "<turn> [<the>] {floor} lights (on|off)",
    "[[<the>] {area}] lights (on|off)",
    "(set|change|turn) [<the>] (light|lights) [in [<the>] {area}] to {color}",
    "(set|change|turn|make) [<the>] {area} {lights} [to] {color}",
    "make [<the>] lights {color}",
    "(set|change) [the] brightness to ({brightness}|{brightness_level})",
    "(set|change) [<the>] {area} brightness to ({brightness}|{brightness_level})",
    "(set|change) [the] brightness (in|of) [<the>] {area} to ({brightness}|{brightness_level})",
    "(increase|decrease) ([the]|[<the>] {area}) brightness to {brightness}",
    "(set|change|turn) [<the>] (light|lights) in [<the>] {area} to {brightness}",
    "(set|change|turn) [<the>] {area} {lights} to {brightness}",
    "(set|change) ([the]|[<the>] {area}) color temperature to ({color_temperature_names}|{kelvin})",
    # Lights by name
    "(set|change|turn) [<the>] {name.light} [color] to {color}",
    "(turn|make) [<the>] {name.light} {color}",
    "(set|change|turn) [<the>] {name.light} [brightness] to {brightness}",
    "(increase|decrease) [<the>] {name.light} brightness to {brightness}",
    "(set|change) [<the>] {name.light} brightness to {brightness_level}",
    "(set|change) [<the>] {name.light} color temperature to ({color_temperature_names}|{kelvin})",
    # Switching by name
    "<turn> (on|off) [<the>] {name.onoff} [in [<the>] {area}]",
    "<turn> [<the>] {name.onoff} (on|off)",
    "<turn> [<the>] {name.onoff} in [<the>] {area} (on|off)",
    # Scenes, scripts, buttons
    "(activate|turn on|switch on) [<the>] {name.scene} [scene]",
    "(change|transition) to [<the>] {name.scene} [scene]",
    "(run|start|activate) [<the>] {name.script} [script]",
    "(press|push) [<the>] {name.button} [button]",
    # Fans
    "<turn> (on|off) [<the>] {area} (fan|fans)",
    "<turn> (on|off) [<the>] (fan|fans) [in [<the>] {area}]",
    "(set|change|turn) [<the>] {name.fan} [speed] to {fan_speed}",
    "(set|change) ([{the}]|<the> {area}|{area}) fan speed to {fan_speed}",
    # Covers, valves, locks
    "<open_close> [<the>] [{area}] {cover_classes}",
    "<open_close> [<the>] {cover_classes} in [<the>] {area}",
    "<open_close> [<the>] {name.cover} [in [<the>] {area}]",
    "(set|<open_close>) [<the>] {name.cover} to {position}",
    "(set|<open_close>) [<the>] {area} {cover_classes} to {position}",
    "(lock|unlock) [<the>] {name.lock}",
    # Climate
    "(set|change|turn [up|down]) ([the]|[<the>] {area}) (temperature|temp) to {temperature}",
    "(set|change) [the] (temperature|temp) in [<the>] {area} to {temperature}",
    "(set|change|turn [up|down]) [<the>] {name.climate} [temperature] to {temperature}",
    "<what_is> [the] [current] temperature [in [<the>] {area}]",
    "<what_is> [<the>] {area} temperature",
    "<what_is> [<the>] {name.climate} temperature",
    "how (hot|cold|warm|cool) is it [in [<the>] {area}]",
    "how (hot|cold|warm|cool) is [<the>] {area}",
    # Media
    "stop",
    "(pause|stop|resume|unpause|mute|unmute) [<the>] (music|movie|tv show)",
    "(pause|resume)",
    "stop playing",
    "(next|previous) (song|track)",
    "skip [this|the] (song|track)",
    "skip to the next (song|track)",
    "(pause|resume|unpause|mute|unmute) [<the>] {name.media_player}",
    "(next|previous) track on [<the>] {name.media_player}",
    "[turn [the]] volume (up|down) [[by] {volume}]",
    "turn (up|down) [the] volume [by {volume}]",
    "turn (up|down) [<the>] {name.media_player} volume",
    "[<the>] {name.media_player} volume (up|down)",
    "(increase|decrease) [the] volume [by {volume}]",
    "(set|change|turn|turn up|turn down) [the] volume to {volume}",
    "(set|turn) the volume to {volume} on [<the>] {name.media_player}",
    "set [<the>] {name.media_player} volume to {volume}",
    "set [<the>] {area} volume to {volume}",
    # Timers
    "<timer_set> [a|the|my] timer for {duration}",
    "<timer_set> (a|an|my) {long} timer",
    "<timer_set> [a|the|my] {timer_called} for {long}",
    "<timer_set> [a|an|the|my] {long} {timer_for}",
    "<timer_set> [a|the|my] timer for {long} (named|called) {timer_name}",
    "timer for {duration}",
    "{whole} timer",
    "(cancel|stop|pause|resume|continue) [the|my] [{timer_name}|{whole}] timer",
    "cancel all [the|my] timers",
    "add {duration} to [the|my] timer",
    "add {whole} to [the|my] {timer_name} timer",
    "(take|remove) {whole} (off|from) [the|my] [{timer_name}] timer",
    "(increase|decrease) [the|my] timer by {whole}",
    "how (much time is|long is) left on [the|my] [{timer_name}] timer",
    # Lists
    "(add {groceries} to|put {groceries} on) (my|the) shopping list",
    "(add {groceries} to|put {groceries} on) (my|the) {name.todo} [list]",
    # Vacuum cleaners, lawn mowers
    "start [<the>] {name.vacuum}",
    "return [<the>] {name.vacuum} [to base]",
    "(vacuum|clean) [<the>] {area}",
    "(start|stop|dock) [<the>] {name.lawn_mower}",
    # Questions
    "what time is it [right now|now]",
    "<what_is> the [current] time",
    "<what_is> (the date [today]|today's date)",
    "<what_is> the weather [like]",
    "<what_is> the weather [like] (in|at) {name.weather}",
    "<what_is> [<the>] {name.sensor}",
    "<what_is> the state of [<the>] {name.any}",
    "is [<the>] {name.asked} (on|off)",
    "is [<the>] {name.cover} (open|closed|shut)",
    "is [<the>] {name.lock} (locked|unlocked)",
    "is [<the>] {name.binary_sensor} (open|closed|on)",
    "where is {name.person}",
    "are (any|all) [of <the>] lights (on|off) [in [<the>] {area}]",
    "(which|how many) lights are (on|off) [in [<the>] {area}]",
    "are (any|all) [of <the>] {cover_classes} (open|closed)",
    "(which|how many) {cover_classes} are (open|closed)",
    "(are|is) (all [<the>] doors|any door) (locked|unlocked)",
    "never mind",
)

RULES = {
    # Homophones (what's and whats) are left out: no ear can tell them apart.
    "turn": "(turn|switch)",
    "the": "(the|my)",
    "open_close": "(open|close|shut|raise|lower)",
    "what_is": "(what is|what's)",
    "timer_set": "(set|start|create)",
}

GROCERIES = (
    *("apples", "bananas", "bread", "butter", "cheese", "chicken", "chocolate", "coffee", "eggs", "fish", "flour"),
    *("juice", "lemons", "milk", "onions", "oranges", "pasta", "potatoes", "rice", "salt", "soap", "sugar", "tea"),
    *("tomatoes", "toilet paper", "water", "yogurt", "bacon", "beans", "beer", "carrots", "cereal", "cream", "garlic"),
    *("ham", "honey", "ice cream", "lettuce", "mushrooms", "oil", "paper towels", "pepper", "shampoo", "wine"),
)

TIMERS = (
    *("bread", "break", "cake", "chicken", "coffee", "cookie", "dinner", "egg", "homework", "kitchen", "laundry"),
    *("lunch", "meat", "nap", "oven", "pasta", "pizza", "potato", "rice", "sauna", "tea", "washing", "workout"),
)

BEFORE = (
    # Words said before a command besides the hub's skip words, and no part of it.
    *("um", "uh", "er", "hmm", "okay", "ok", "hey", "so", "well", "now", "and", "alright", "please can you"),
    *("will you", "could you please", "can you please", "would you please", "i want you to", "i'd like you to"),
    *("i would like you to", "go ahead and", "just", "let's"),
)
BEHIND = ("please", "thanks", "thank you", "for me", "now", "right now", "okay", "um", "will you", "would you")

ON_OFF = ("light", "switch", "fan", "media_player", "input_boolean", "climate")
"""Domains that Home Assistant turns on and off by a name alone."""

LISTS = {
    # A list of names -> its domains, where it has not the name of a domain.
    "onoff": ON_OFF,
    "cover": ("cover", "valve"),
    "button": ("button", "input_button"),
    "asked": ("light", "switch", "fan"),
    "any": ("light", "switch", "fan", "media_player", "climate", "sensor", "cover", "lock", "valve"),
}
