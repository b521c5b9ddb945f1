// Says on the page what a browser or an authenticator refused; allauth says it to the console only.
document.addEventListener('allauth.error', (event) => {
  event.preventDefault();
  const { name } = event.detail.exception;
  let place = document.getElementById('passkey-trouble');
  if (!place) {
    place = document.createElement('p');
    place.id = 'passkey-trouble';
    place.className = 'callout callout-bad';
    place.setAttribute('role', 'alert');
    document.getElementById('main').append(place);
  }
  place.textContent = {
    NotAllowedError: 'Nothing was confirmed: it was cancelled, or it took too long. Try again.',
    InvalidStateError: 'This authenticator is registered here already.',
    SecurityError: 'Passkeys belong to a host name. Open this site by its name, on your own machine as “localhost”, not by a number.',
  }[name] || 'This browser cannot use a passkey here.';
  place.hidden = false;
});
