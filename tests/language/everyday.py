"""Sentences near commands that are none of this home: none may become another command."""

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

TALK = (
    # Talk with the words of commands in it
    *(
        "turn the page",
        "turn left at the corner",
        "switch places with me",
        "open your book",
        "close the deal",
    ),
    *(
        "shut up",
        "lock the suitcase",
        "put the kettle down",
        "turn on the charm",
        "turn off your phone",
    ),
    *(
        "turn up at eight",
        "set the alarm for six",
        "set the oven to two hundred",
        "start the dishwasher tomorrow",
        "stop it now",
    ),
    *(
        "what time does the train leave",
        "what is the time difference to tokyo",
        "how warm is your coat",
        "how long is the movie",
        "is the shop open",
    ),
    *(
        "is the door bell broken",
        "are the children asleep",
        "where is the remote",
        "add sugar to the tea",
        "add two and two",
    ),
    *(
        "take five minutes off",
        "cancel the meeting",
        "cancel my subscription",
        "pause for a moment",
        "play the piano",
    ),
    *(
        "skip the introduction",
        "next time",
        "previous owner",
        "volume two of the book",
        "brightness is not everything",
    ),
    *(
        "the light is on",
        "the kitchen is clean",
        "vacuum the car",
        "never mind the weather",
        "change the channel",
    ),
    *(
        "change the bed sheets",
        "make the bed",
        "make dinner",
        "raise the rent",
        "lower your voice",
    ),
    *(
        "turn on the dishwasher lights",
        "turn off the oven",
        "close the kitchen door quietly",
        "set the temperature of the pool",
        "turn it off",
    ),
    *("lights out",),
)
"""Sentences said to other people. No transcript of them may be snapped to a command."""

OTHERS = {
    "de": (
        *("das Licht ist an", "mach die Augen zu", "schalte dein Handy aus", "öffne das Buch", "stell den Tisch hin"),
        *("ich gehe in die Küche", "die Küche ist schön", "wie alt bist du", "mach das Essen", "es ist kalt im Bad"),
    ),
    "fr": (
        *("la lumière est allumée", "ferme les yeux", "ouvre ton livre", "je vais à la cuisine", "il fait froid ici"),
        *("allume le four", "quel âge as-tu", "éteins ton téléphone", "mets la table", "la cuisine est propre"),
    ),
    "es": (
        *("la luz está encendida", "cierra los ojos", "abre tu libro", "voy a la cocina", "hace frío en casa"),
        *("apaga tu teléfono", "cuántos años tienes", "pon la mesa", "la cocina está limpia", "enciende el horno"),
    ),
    "nl": (
        *("het licht is aan", "doe je ogen dicht", "open je boek", "ik ga naar de keuken", "het is koud in huis"),
        *("zet je telefoon uit", "hoe oud ben je", "dek de tafel", "de keuken is schoon", "zet de oven aan"),
    ),
    "it": (
        *("la luce è accesa", "chiudi gli occhi", "apri il libro", "vado in cucina", "fa freddo in casa"),
        *("spegni il telefono", "quanti anni hai", "apparecchia la tavola", "la cucina è pulita", "accendi il forno"),
    ),
}
"""Sentences said to other people, in other languages."""
