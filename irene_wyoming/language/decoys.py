"""Decoys: sentences that sound like commands and are none, in hassil's notation.

A search among commands only finds one in "turn that off", too. With decoys beside the commands it finds that no command
was meant. A sentence that is also a command of the home stays a command.
"""

DEVICES = (
    "lamp|lamps|heater|heating|oven|stove|radio|stereo|speaker|speakers|computer|printer|projector|dishwasher|dryer"
    "|toaster|coffee machine|plug|socket|tv|fan|alarm|camera|monitor|shower|water|fridge|freezer|fireplace|strip"
)
"""Devices that people switch, but that homes name otherwise or lack."""

DECOYS = (
    # Commands without an object
    "(turn|switch) (that|it|this|them|everything|all of it) (on|off)",
    "(turn|switch) (on|off) (that|it|this|them|everything|all of it|all the devices)",
    "turn (it|that|this) (up|down)",
    "(start|stop|open|close) (it|that|this)",
    "turn around",
    "make it (warmer|colder|cooler|brighter|darker|louder|quieter)",
    # Requests for which Home Assistant has no sentence
    "(dim|brighten) [the] {area} [(light|lights)]",
    "(dim|brighten) [the] (light|lights)",
    "(do not|don't) (turn|switch) (on|off) [the] [{area}] (light|lights)",
    "why (is|are) the {area} (light|lights) (on|off)",
    "who (turned|switched) (on|off) the [{area}] (light|lights)",
    # Devices that this home may lack; without these the nearest present one would be found
    f"(turn|switch) (on|off) [the] [{{area}}] ({DEVICES})",
    f"(turn|switch) [the] [{{area}}] ({DEVICES}) (on|off)",
    # Questions that sound like those for the time
    "what day is it [today]",
    "what day is (today|tomorrow)",
    "what is it",
    "what is that",
    "what time (are you|do you|did you|does it|will it) [(coming|leave|start|end)]",
    "what (is|was) for (dinner|lunch|breakfast)",
    "how are you [today]",
    "who is (it|there|at the door)",
    # Names of other assistants
    "(okay|ok|hey) (google|siri|jarvis|alexa|computer|nabu|mycroft)",
    # Things that open, close, start and stop without a home's help
    "(open|close|shut) (the|your|my|a) (fridge|drawer|cupboard|book|box|bottle|jar|eyes|mouth)",
    "(lock|unlock) (the|your|my) (car|bike|phone|suitcase)",
    "(start|stop) (again|talking|crying|running|the car|the washing up)",
    "set the table [for (two|three|four|five|six)]",
)
