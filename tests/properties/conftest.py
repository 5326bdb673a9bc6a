from hypothesis import settings

# A busy machine is slow for no fault of the code, so no example is timed. The profile for CI tries more of them;
# pytest's --hypothesis-profile asks for it by name.
settings.register_profile("development", deadline=None)
settings.register_profile("ci", deadline=None, max_examples=1_000, print_blob=True)

if settings.get_current_profile_name() == "default":
    settings.load_profile("development")
