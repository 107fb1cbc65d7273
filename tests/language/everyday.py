"""What people say near commands that is no command of this home: none of it may become another command."""

EVERYDAY = (
    # What no template of the hub means
    *("dim the kitchen lights", "brighten the bedroom", "make it warmer", "turn it up", "turn that off"),
    *("turn everything off", "switch everything on", "turn off all the devices", "lights", "turn around"),
    # Things that the home lacks
    *(
        "turn on the living room lamp",
        "turn off the lantern",
        "open the fridge",
        "lock the car",
        "start the washing up",
    ),
    *("set the table for six", "set an alarm for seven", "wake me up at half past six", "remind me to buy milk"),
    # Talk
    *("what day is it", "how are you today", "what is for dinner", "who is at the door", "where are my keys"),
    *("tell me a joke", "i am going to bed", "good morning", "see you later", "i will be back in ten minutes"),
    *("the kitchen is on fire", "is it going to rain tomorrow", "do not turn on the light", "stop talking to me"),
    *("close your eyes", "open a bottle of wine", "start again from the top"),
)
