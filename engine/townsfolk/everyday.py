"""Ways in which players say everyday things to anybody. A phrase book, in English; it answers nothing.

A topic that samples one of these in the author's words is found by all the ways listed with it: no author should have
to write down fourteen ways to say hello for each of sixty characters. The first few of a group are the plainest, and a
topic is compared with those. Nothing here names a place, a person or a thing of any one story.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["COURTESIES", "EVERYDAY", "HEAD"]

HEAD: Final = 3
"""So many wordings at the head of a group stand for it."""

COURTESIES: Final = frozenset({"greeting", "farewell", "thanks", "apology", "how_are_you", "weather"})
"""What is said in passing: in a line that also asks something, the question is answered."""

EVERYDAY: Final[Mapping[str, tuple[str, ...]]] = {
    "greeting": (
        "Hello", "Greetings", "Hi", "Good evening", "Hey there", "Yo", "Howdy", "Hello there, friend", "Good morning",
        "Good day", "Well met", "Nice to meet you", "Pleased to make your acquaintance",
    ),
    "farewell": (
        "Goodbye", "Farewell", "I have to go now", "See you around", "I should be going", "I'll be on my way",
        "Until next time", "Good night", "Bye", "Take care", "I'd better be off", "That's all for now",
        "I'm going to bed, sleep well", "I must be on the road before dark", "I won't keep you any longer",
        "Farewell until tomorrow",
    ),
    "thanks": (
        "Thank you", "Thanks for your help", "Much obliged", "Many thanks", "Ta", "Cheers", "You have been very kind",
        "I appreciate it", "I owe you one",
        "That is very generous of you", "You have been a great help to me", "I won't forget your kindness",
        "God bless you",
    ),
    "apology": (
        "I'm sorry", "I apologise", "Forgive me", "Pardon me, I shouldn't have said that", "I didn't mean it",
        "My apologies", "I take it back", "I was rude to you", "No offence meant",
        "I was out of line", "I shouldn't have shouted at you", "It was wrong of me", "Can we start again?",
    ),
    "how_are_you": (
        "How are you?", "How do you do?", "Are you well?", "How's life treating you?", "How have you been?",
        "You look worn out", "Are you okay?", "What's the matter with you?", "How's it going?", "How are things?",
        "You seem upset", "What's up?",
        "Why do you look so gloomy?", "You look pale", "Did you have a bad night?", "You look as if you've been crying",
    ),
    "name": (
        "What's your name?", "Who are you?", "Tell me about yourself", "I didn't catch your name",
        "Who am I speaking with?", "What should I call you?", "And you would be?", "What do people call you?",
        "I don't believe we've met", "Introduce yourself",
    ),
    "work": (
        "What do you do here?", "What's your job?", "What is your work?", "What do you do for a living?",
        "What keeps you busy all day?", "What's your trade?", "Do you like your work?", "How do you spend your days?",
        "How long have you been doing this?",
    ),
    "insult": (
        "You're an idiot", "Shut up", "You're useless", "You are a fool", "I hate you",
        "What an ugly old thing you are",
        "You stink", "Go to hell", "You're pathetic", "You disgust me", "Get lost", "Nobody likes you", "Damn you",
        "You old fool, hold your tongue", "You're a filthy liar", "You are a miserable old goat", "You make me sick",
    ),
    "joke": (
        "Tell me a joke", "Make me laugh", "Say something funny", "Do you know any good jokes?", "Make me smile",
        "Cheer me up", "Got any funny stories?",
    ),
    "news": (
        "What's the news?", "Heard any rumours?", "Any gossip?", "Heard anything interesting lately?",
        "Anything happening around here?", "What is everybody talking about?", "What's the latest?", "What's new?",
        "What's been going on?",
        "What did I miss?", "What's the talk of the village?", "What do people say?", "Tell me the latest rumours",
    ),
    "help": (
        "Can I help?", "Is there anything I can do?", "I'm looking for work", "Do you need anything done?",
        "What needs doing around here?", "I could use a job", "Got any errands for me?", "How can I be of use?",
        "Let me help you", "Put me to work", "How can I earn some money?",
        "I'm strong, I can carry things for you", "Do you want me to run an errand?", "I'd like to be useful",
        "Tell me how to help",
    ),
    "place": (
        "What is this place?", "Where am I?", "Tell me about this village", "So where have I ended up?",
        "What's it like living here?", "What is there to see around here?", "What can you tell me about the place?",
        "I'm new here", "I'm lost", "What kind of village is this?", "What do people do for fun here?",
    ),
    "next": (
        "What should I do next?", "I don't know what to do", "Where should I go?", "What ought I to do now?",
        "Got any advice for me?", "Where do I even begin?", "Who should I talk to?", "What would you do in my place?",
        "I'm stuck", "Point me in the right direction",
        "Give me a hint", "Who else could tell me more?", "What now?", "Any idea how I should go on?",
    ),
    "trust": (
        "Are you lying to me?", "Can I trust you?", "Are you hiding something?", "You're not telling me everything",
        "How do I know you're telling the truth?", "I don't believe you", "You know more than you say",
        "What are you keeping from me?", "Be honest with me", "That's a lie",
        "Why should I believe you?", "Swear that it's true", "I think you know something", "Can I rely on you?",
    ),
    "fear": (
        "What are you afraid of?", "Are you scared?", "What frightens you?", "What keeps you awake at night?",
        "Does anything scare you?", "Aren't you worried?",
    ),
    "family": (
        "Do you have a family?", "Are you married?", "Do you have children?", "Have you got any kids?",
        "Do you have brothers or sisters?", "Tell me about your family", "Who were your parents?", "Do you live alone?",
        "What did your father do?", "Do your parents live here too?",
    ),
    "love": (
        "Have you ever been in love?", "Do you love anyone?", "What do you think of marriage?",
        "Have you ever loved anybody?", "Is there someone special?", "Would you ever marry?",
        "Did you ever have a sweetheart?",
    ),
    "courting": (
        "I love you", "You're beautiful", "Will you marry me?", "Would you go out with me?", "You have lovely eyes",
        "Kiss me", "I fancy you", "You're rather handsome",
        "You have the prettiest smile", "Are you spoken for?", "May I court you?",
    ),
    "faith": (
        "Do you believe in God?", "Are you religious?", "Do you pray?", "Do you go to church?", "Is there a God?",
        "What do you believe in?", "Do you have faith?",
        "Does God watch over us?", "Will you pray for me?", "When did you last go to church?",
    ),
    "weather": (
        "Terrible weather", "Does it always rain here?", "Lovely day", "It's raining hard out there",
        "Think the rain will let up?", "It's freezing out", "What's the weather doing?", "Looks like a storm is coming",
        "I'm soaked through", "Nasty weather we're having",
        "It's bitterly cold tonight", "Will the sun ever come out?", "What a storm!", "Cold enough for you?",
    ),
    "food": (
        "I'm hungry", "Can I get something to eat?", "Do you serve food?", "I'm starving, what have you got?",
        "Could I have a hot meal?", "What's for dinner?", "Something smells good", "I haven't eaten all day", "Feed me",
        "Could you spare some bread and cheese?", "What's cooking?", "Is there any supper left for me?",
    ),
    "drink": (
        "I'm thirsty", "Can I have a drink?", "Pour me a beer", "What's good to drink here?", "I could murder a pint",
        "Something to wet my throat",
    ),
    "bed": (
        "I need a bed for the night", "Where can I sleep?", "Do you have a room?",
        "Is there somewhere a person could spend the night?", "I'm tired and need a place to stay",
        "Any lodging around here?", "Got a spare bed?",
        "Would you put me up for the night?", "I've nowhere to go tonight", "Can I stay with you?",
    ),
    "price": (
        "How much does it cost?", "What do I owe you?", "I have no money", "I'm broke", "What are the prices like?",
        "That's too expensive", "How much is that?", "What's your price?", "I can't pay",
        "Can you lend me some money?", "Is it expensive to live here?", "I've no coin on me",
    ),
    "origin": (
        "Where are you from?", "Where were you born?", "Are you from around here?", "Where did you grow up?",
        "Have you always lived here?", "Were you born in this village?", "How long have you lived here?",
    ),
    "age": (
        "How old are you?", "What is your age?", "When were you born?", "When is your birthday?",
        "You look young for your age", "How many years have you lived?",
    ),
    "music": (
        "Sing me a song", "Do you play an instrument?", "Do you know any songs?", "Is there any music here?",
        "Do you like to sing?", "Would you dance with me?",
    ),
    "lonely": (
        "Do you ever get lonely?", "Are you lonely?", "Don't you feel lonely here?", "Do you have any friends?",
        "It must be lonely", "Who keeps you company?",
    ),
    "who_rules": (
        "Who owns this land?", "Who's in charge here?", "Who rules here?", "Who do you answer to?",
        "Who makes the laws?", "Whose land is this?", "Who does all this belong to?",
    ),
    "nearest_town": (
        "Where is the nearest town?", "How far is it to the next town?", "Which way is the town?",
        "What's the next town over like?", "How do I get to town?", "Can I get a ride to town?",
    ),
    "death": (
        "Are you afraid of death?", "What happens after we die?", "Do you think about dying?",
        "Is there life after death?", "Have you ever seen someone die?",
    ),
    "river": (
        "How do I cross the river?", "Where can I cross the river?", "Is there a bridge?", "Can one swim across?",
        "How do I get to the other side of the river?", "Is the river deep?",
    ),
}  # fmt: skip
