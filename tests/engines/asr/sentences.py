"""Sentences for the evaluation. The tuning set chose the weights; figures come from the held-out set."""

TUNING_COMMANDS = """
turn on the living room light
turn off the kitchen lights
switch on the bedside lamp
turn the bedroom lights off
turn on the lights in the bathroom
turn off all the lights
turn on the hallway light
switch off the desk lamp
set the kitchen brightness to fifty percent
set the brightness to eighty percent
change the living room brightness to twenty five percent
set the bedside lamp to blue
turn the lights in the office to red
set the floor lamp to forty percent
turn on the ceiling fan
turn off the radio
switch the television off
turn on the coffee maker
open the garage door
close the living room curtains
open the blinds
close the shutters in the bedroom
lock the front door
unlock the back door
start the vacuum
return the vacuum to base
clean the kitchen
set the temperature to twenty one degrees
set the bedroom temperature to eighteen degrees
set the thermostat to seventy degrees
what is the temperature in the living room
how warm is it in the bathroom
what is the outside temperature
pause the music
resume the movie
next song
previous track
skip this song
volume up
turn down the volume
set the volume to thirty percent
set the tv volume to sixty percent
set a timer for five minutes
set a timer for half an hour
start a ten minute timer
cancel the timer
pause my timer
add two minutes to the timer
how much time is left on the timer
add milk to my shopping list
add eggs to the shopping list
what time is it
what's the date today
what is the weather like
is the garage door open
is the front door locked
is the ceiling light on
open the gate
turn on the upstairs lights
never mind
""".strip().split("\n")
"""Commands of the default grammar, for tuning."""

HELD_OUT_COMMANDS = """
turn off the living room light
turn on the kitchen light
switch on the office lights
turn the dining room lights on
turn off the lights in the garden
turn on all the lights in the basement
switch the porch light off
turn on the table lamp
set the bedroom brightness to thirty percent
change the brightness to one hundred percent
set the brightness in the hallway to seventy five percent
set the floor lamp to green
change the lights in the living room to yellow
set the reading light to ninety percent
turn the fan on
switch on the air conditioner
turn off the tv
turn the kettle on
switch off the washing machine
close the garage door
open the bedroom blinds
close the curtains in the dining room
open the gate
lock the back door
unlock the front door
vacuum the living room
start the vacuum
change the temperature to nineteen degrees
set the temperature in the office to twenty two degrees
set the thermostat to sixty eight degrees
what is the temperature in the bedroom
how cold is it in the garage
what's the kitchen temperature
what is the humidity
resume the music
pause the movie
next track
previous song
skip the song
volume down
turn the volume up
increase the volume
set the volume to seventy percent
mute the television
set a timer for fifteen minutes
set a timer for two hours
start a thirty minute timer
stop the timer
resume the timer
add five minutes to my timer
how long is left on my timer
add bread to the shopping list
add potatoes to my shopping list
what is the time
what is the date
what's the weather
is the gate closed
is the back door unlocked
close the gate
is the desk lamp on
""".strip().split("\n")
"""Commands of the default grammar, held out from tuning."""

TUNING_SPEECH = """
the quick brown fox jumps over the lazy dog
i went to the store yesterday to buy some new shoes
did you see the football game last night
my sister is coming to visit us next weekend
i think we should leave before it starts raining
he told me that the meeting was cancelled
what are you going to do about your car
the children were playing in the street all afternoon
can you believe how expensive everything is now
she sells sea shells by the sea shore
i have never been to australia but i would love to go
mom said that dinner is almost ready
please pass me the salt and the pepper
where did you put my keys
i am so tired that i could sleep for a week
the train was late again this morning
we watched a really boring documentary
that is the funniest thing i have heard all day
it takes about two hours to drive there
his phone has been ringing all day long
how was your day at school
good morning everyone
i love you
see you later
thank you very much
no i do not think so
yes of course
tell me a joke
who won the election
how far away is the moon
what is the capital of france
call my mother
send a message to john
wake me up at seven tomorrow
play some jazz in the kitchen
remind me to water the plants
order a large pizza with extra cheese
translate good evening into spanish
how do you spell necessary
what should i cook for dinner tonight
okay
hello there
excuse me
wait a minute
never say never again
""".strip().split("\n")
"""Ordinary sentences, for tuning."""

HELD_OUT_SPEECH = """
the weather forecast said it would snow on tuesday
our neighbours have bought a very loud motorcycle
i forgot to bring my umbrella to the office today
there was a long line at the bank this morning
could you help me move this table on saturday
the doctor says that i need to drink more water
we are having a party on friday night
my brother works in a restaurant downtown
the book on the table belongs to my teacher
they will probably arrive around eight o'clock
nobody knows what really happened that night
i would like a cup of coffee and a sandwich
you should have told me about it earlier
the dog chased the cat around the garden
this is the best soup i have ever tasted
she studied biology at the university
everybody laughed when he fell off his chair
do you want to go for a walk in the park
the museum is closed on mondays
he runs ten kilometres every single day
let's meet in front of the cinema
happy birthday to you
see you tomorrow morning
good night and sleep well
how are you doing today
i do not know
maybe later
of course not
what a beautiful day
where is the nearest petrol station
how old is the president
book a table for two at seven
find my phone
read me the news
what is twelve times fourteen
who wrote romeo and juliet
take a picture
start the car
open the pod bay doors please
tell my wife that i am late
i'm sorry
come here
be quiet
are you kidding me
let me think about it
""".strip().split("\n")
"""Ordinary sentences, held out from tuning."""

TUNING_NEAR_MISSES = """
turn on the living room fight
turn on the swimming pool
turn on the
set a timer for
turn off the baby
open the bottle of wine
close your eyes
set the table for dinner
what time does the store close
what is the weather in paris
turn left at the next corner
switch seats with your brother
the kitchen is dirty
next year in december
add your name to the guest list
lock him up
the living room is very nice
pause for a moment and think
how warm is the water in the lake
turn on the kitchen light and then go to bed
lights camera action
volume two of the book
i turned the lights off in the bedroom yesterday
increase the price by ten percent
""".strip().split("\n")
"""Sentences that begin like commands or use their words, for tuning."""

HELD_OUT_NEAR_MISSES = """
turn on the bathroom tap
turn around and look at me
set the alarm for six o'clock
turn off the oven
set the
open the window of opportunity
close the deal by friday
change the subject please
what is the meaning of life
what time did you get home
how long is the river nile
add it to my account
cancel my appointment on thursday
the bedroom window is broken
the lights went off during the storm
turn the page
stop talking to me
start the engine
clean your room right now
is the coffee ready yet
return the books to the library
how cold is it in alaska
set up the new computer
turn on the light bulb factory tour
""".strip().split("\n")
"""Sentences that begin like commands or use their words, held out from tuning."""

TUNING_WAKE_WORDS = ["hey jarvis", "alexa", "okay nabu", "hey mycroft"]
HELD_OUT_WAKE_WORDS = ["hey rhasspy", "okay google", "hey siri", "computer"]
